"""`track publish`: what a store has not got of a run, from wherever its folder lies now."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bundles import tiny_bundle

from skincli.errors import ConfigError, SkincliError, UsageError
from skincli.progress import Silent
from skincli.tracking.publish import publish
from skincli.tracking.resolve import resolve
from skincli.tracking.run_folder import RunFolder
from skincli.tracking.runs import RunRecorder, recorded_run
from skincli.tracking.spool import Event, Spool
from skincli.tracking.store import connect

# Trains one epoch and is killed at a chosen call of the recorder's own.
_KILLED = """
import os, signal, sys
from skincli.config.schema import Config
from skincli.progress import Silent
from skincli.tracking.run_folder import RunFolder
from skincli.tracking.runs import recorded_run
from skincli.tracking.spool import Spool

config = Config()
config.run.root, config.tracking.uri, where = sys.argv[1], "none", sys.argv[2]


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

with recorded_run(config, "killed", "", None, Silent()) as recorder:
    recorder.metrics({"loss": 0.5}, 0)
    if where == "between the table and the spool":
        Spool.append = die
        recorder.metrics({"loss": 0.4}, 1)
    if where == "in the middle":
        die()
    if where == "between the state and the spool":
        Spool.append = die
"""


def killed(config, where: str) -> RunFolder:
    done = subprocess.run([sys.executable, "-c", _KILLED, config.run.root, where], check=False)
    assert done.returncode == -9
    [path] = Path(config.run.root).iterdir()
    return RunFolder(path)


@pytest.fixture
def trained(without_store) -> RunRecorder:
    """A finished run of which no store knows."""
    with recorded_run(without_store, "alone", "", None, Silent()) as recorder:
        recorder.environment({"python": "3"})
        for epoch in range(3):
            recorder.metrics({"loss": epoch / 10}, epoch)
        recorder.file(recorder.folder.metrics)
        recorder.bundle(tiny_bundle(recorder.folder.bundle, run_id=recorder.run_id))
    return recorder


def require_all(stored, config, folder):
    run = stored.run()
    state = folder.state()
    assert (run.info.status, run.info.run_name) == ("FINISHED", "alone")
    assert run.info.start_time == state.started_ms
    assert state.ended_ms <= run.info.end_time < state.ended_ms + 2000
    assert run.data.params["run.root"] == config.run.root
    assert stored.points("loss") == [(0, 0.0), (1, 0.1), (2, 0.2)]
    assert stored.files() == {"config.yaml", "environment.json", "metrics.csv"}
    [model] = stored.models()
    assert [output.model_id for output in run.outputs.model_outputs] == [model.model_id]


def test_a_run_trained_without_a_store_is_sent_whole_and_once(config, stored, trained):
    result = publish(config, trained.run_id, Silent())
    assert (result.run_id, result.status, result.has_model) == (trained.run_id, "FINISHED", True)
    assert result.store_run_id == stored.run().info.run_id != trained.run_id
    assert result.sent == len(list(Spool(trained.folder.spool).read(0)))
    require_all(stored, config, trained.folder)
    # By both of its ids, the bundle is found as if it had been there from the start.
    for run_id in (trained.run_id, result.store_run_id):
        found = resolve(config, run_id)
        assert found.bundle.spec.lineage.run_id == trained.run_id
        assert found.run_id == result.store_run_id
    again = publish(config, trained.run_id, Silent())
    assert (again.sent, again.store_run_id) == (0, result.store_run_id)
    require_all(stored, config, trained.folder)


@pytest.mark.parametrize("sent_before", [False, True])
def test_a_folder_that_was_moved_is_sent_from_where_it_is(
    config, stored, trained, tmp_path, sent_before
):
    if sent_before:
        publish(config, str(trained.folder.path), Silent())
    elsewhere = tmp_path / "another disk" / "my best run"
    shutil.move(trained.folder.path, elsewhere)
    result = publish(config, str(elsewhere), Silent())
    assert result.folder == elsewhere
    assert bool(result.sent) is not sent_before
    require_all(stored, config, RunFolder(elsewhere))


def test_a_store_that_gets_only_a_part_is_told_the_rest_the_next_time(
    config, stored, trained, monkeypatch
):
    def away(*_arguments, **_named):
        raise OSError("the bucket is away")

    with monkeypatch.context() as patch:
        patch.setattr("skincli.tracking.delivery.log_bundle", away)
        with pytest.raises(SkincliError, match="the bucket is away"):
            publish(config, trained.run_id, Silent())
    assert stored.run().info.status == "FINISHED"
    assert publish(config, trained.run_id, Silent()).sent == 1
    require_all(stored, config, trained.folder)


@pytest.mark.parametrize(
    ("where", "status", "epochs"),
    [
        ("in the middle", "KILLED", 1),
        ("between the table and the spool", "KILLED", 2),
        ("between the state and the spool", "FINISHED", 1),
    ],
)
def test_a_run_that_was_killed_outright_is_sent_as_what_it_was(
    config, stored, where, status, epochs
):
    folder = killed(config, where)
    last = [event for event, _ in Spool(folder.spool).read(0)][-1]
    result = publish(config, folder.state().run_id, Silent())
    assert (result.status, folder.state().status) == (status, status)
    assert [step for step, _ in stored.points("loss")] == list(range(epochs))
    run = stored.run()
    assert run.info.status == status
    assert abs(run.info.end_time - last.time) < 2000
    assert folder.state().ended_ms // 1000 == run.info.end_time // 1000
    assert publish(config, str(folder.path), Silent()).sent == 0


def test_an_end_that_only_the_spool_was_told_is_the_end(config, stored, folder, monkeypatch):
    """As where the disk took the one and not the other."""
    Spool(folder.spool).append(Event(kind="status", values={"status": "FAILED"}, time=5000))
    monkeypatch.setattr("skincli.tracking.run_folder.is_alive", lambda _: False)
    assert publish(config, str(folder.path), Silent()).status == "FAILED"
    assert folder.state().status == stored.run().info.status == "FAILED"
    assert folder.state().ended_ms == 5000


def test_a_run_under_way_elsewhere_keeps_its_status(config, stored, folder):
    Spool(folder.spool).append(Event(kind="tags", values={"a": "b"}))
    assert publish(config, str(folder.path), Silent()).status == "RUNNING"
    assert folder.state().status == stored.run().info.status == "RUNNING"


def test_what_cannot_be_published_is_refused_by_name(config, without_store, folder):
    with pytest.raises(ConfigError, match="keeps no registry"):
        publish(without_store, str(folder.path), Silent())
    with pytest.raises(UsageError, match="keeps no record"):
        publish(config, str(folder.path), Silent())
    with pytest.raises(UsageError, match="there is no run `abcd`"):
        publish(config, "abcd", Silent())
    with recorded_run(config, "under way", "", None, Silent()) as recorder:
        recorder._sender.close(20)  # whoever holds the folder, sending or not
        recorder._sender._delivery.claim()
        with pytest.raises(UsageError, match="sent by another process"):
            publish(config, recorder.run_id, Silent())
        recorder._sender._delivery.close()
    assert connect(config.tracking).get_run(recorder.run_id)

"""The owner of a run: how it begins and ends, with a store that answers and one that does not."""

import copy
import re
import shlex
import signal
import socket

import pytest
from disks import no_file_beyond

from skincli.config.load import load_config
from skincli.errors import Interrupted, SkincliError, Stopped
from skincli.progress import Silent
from skincli.tracking.processes import host_name
from skincli.tracking.publish import publish
from skincli.tracking.run_folder import RunFolder, unfinished_runs
from skincli.tracking.runs import RunRecorder, recorded_run
from skincli.tracking.spool import Event, Spool


class Said(Silent):
    def __init__(self):
        self.warnings = []

    def warn(self, message):
        self.warnings.append(message)


@pytest.fixture
def said():
    return Said()


@pytest.fixture
def away(config):
    """The config of a server that is not there."""
    away = copy.deepcopy(config)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        away.tracking.uri = f"http://127.0.0.1:{probe.getsockname()[1]}"
    return away


def record(config, said, losses, *, folder=None, error=None):
    """Begin a run or go on with one, tell of these epochs, and end."""
    with recorded_run(config, "tiny", "", folder, said) as recorder:
        for epoch, loss in losses.items():
            recorder.metrics({"loss": loss}, epoch)
        if error is not None:
            raise error


def the_folder(tmp_path):
    [path] = (tmp_path / "runs").iterdir()
    return RunFolder(path)


def test_a_run_is_one_under_one_id_here_and_in_the_store(config, stored, said):
    with recorded_run(config, "simple", "split", None, said) as recorder:
        recorder.tags({"colour": "blue"})
        recorder.metrics({"loss": 1}, 0)
        assert recorder.folder.state().alive
    run = stored.run()
    assert run.info.run_id == recorder.run_id == recorder.folder.state().run_id
    assert (run.info.status, recorder.folder.state().status) == ("FINISHED", "FINISHED")
    assert run.data.params["tracking.experiment"] == config.tracking.experiment
    assert run.data.tags["colour"] == "blue"
    assert stored.files() == {"config.yaml"}
    assert said.warnings == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Interrupted(signal.SIGTERM), "KILLED"),
        (KeyboardInterrupt(), "KILLED"),
        (Stopped("fell behind"), "KILLED"),
        (SkincliError("the loss is not a finite number"), "FAILED"),
        (ZeroDivisionError(), "FAILED"),
        (SystemExit(0), "FAILED"),
    ],
)
def test_however_a_run_ends_both_know(config, stored, said, tmp_path, error, status):
    with pytest.raises(type(error)):
        record(config, said, {0: 1.0}, error=error)
    folder = the_folder(tmp_path)
    assert folder.state().status == stored.run().info.status == status
    assert folder.failure.exists() == (status == "FAILED")
    assert ("failure.txt" in stored.files()) == (status == "FAILED")
    assert stored.points("loss") == [(0, 1.0)]


def test_a_run_that_goes_on_is_the_same_run_and_each_epoch_is_told_once(
    config, stored, said, tmp_path
):
    with pytest.raises(Interrupted):
        record(config, said, {0: 3.0, 1: 2.0}, error=Interrupted(signal.SIGINT))
    folder = the_folder(tmp_path)
    before = folder.state().run_id
    # Cut off between the table and the spool of epoch 2, and before its checkpoint.
    folder.append_metrics({"epoch": 2, "loss": 1.0})
    record(config, said, {1: 0.5, 2: 0.5, 3: 0.5}, folder=folder)
    assert folder.state().run_id == stored.run().info.run_id == before
    assert stored.run().info.status == "FINISHED"
    assert stored.points("loss") == [(0, 3.0), (1, 2.0), (2, 1.0), (3, 0.5)]
    assert [row["epoch"] for row in folder.read_metrics()] == [0, 1, 2, 3]


def test_what_a_kill_at_the_very_start_left_untold_is_told_when_it_goes_on(config, stored, folder):
    Spool(folder.spool).append(Event(kind="tags", values={"skincli.host": "here"}))
    record(config, Silent(), {}, folder=folder)
    assert stored.run().data.params["seed"] == "0"
    assert stored.files() == {"config.yaml"}


def test_a_store_that_is_away_is_said_before_any_work(away, tmp_path, said):
    with pytest.raises(SkincliError, match="does not answer") as caught:
        record(away, said, {}, error=AssertionError("the work began"))
    assert caught.value.exit_code == 1
    assert "skincli track start" in caught.value.hint
    assert "tracking.uri=none" in caught.value.hint
    assert not (tmp_path / "runs").exists()


def publish_as_told(said, stored):
    """Do what the last warning says, but over the store itself: the server is still away."""
    command = re.search("`(skincli track publish .*)` sends it", said.warnings[-1])[1]
    run, *words = shlex.split(command)[3:]
    config = load_config(words, environ={}).config
    named = copy.deepcopy(config.tracking)
    config.tracking.uri = stored.config.uri
    return publish(config, run, Silent()), named


def test_a_run_goes_on_without_its_store_and_says_how_to_send_the_rest(
    config, away, stored, said, folder
):
    with recorded_run(away, "tiny", "", folder, said) as recorder:
        recorder.metrics({"loss": 1.0}, 0)
    assert folder.state().status == "FINISHED"
    assert "does not answer" in said.warnings[-1]
    result, named = publish_as_told(said, stored)
    assert named == away.tracking
    assert (result.run_id, result.status) == (recorder.run_id, "FINISHED")
    assert stored.points("loss") == [(0, 1.0)]


def test_the_command_names_the_store_even_where_it_is_the_default(
    config, tmp_path, monkeypatch, said, stored, folder
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlflow.db").mkdir()  # no database can be there
    config.tracking.uri = "sqlite:///mlflow.db"
    with recorded_run(config, "tiny", "", folder, said):
        pass
    (tmp_path / "skincli.yaml").write_text("tracking: {uri: 'sqlite:///another.db'}")
    _, named = publish_as_told(said, stored)
    assert named.uri == "sqlite:///mlflow.db"


def test_a_run_below_another_begins_without_the_store_and_is_sent_later(
    config, away, stored, said, tmp_path
):
    with recorded_run(config, "search", "", None, Silent()) as search:
        with recorded_run(away, "trial", "", None, said, parent=search.run_id) as trial:
            trial.metrics({"loss": 1.0}, 0)
        assert trial.folder.state().status == "FINISHED"
        publish_as_told(said, stored)
    found = stored.run_named("trial")
    assert found.data.tags["mlflow.parentRunId"] == search.run_id
    assert stored.points("loss", found.info.run_id) == [(0, 1.0)]


def run_into_a_full_disk(config, said):
    with recorded_run(config, "full", "", None, said) as recorder:
        recorder.metrics({"loss": 3.0}, 0)
        with no_file_beyond(recorder.folder.metrics.stat().st_size + 2):
            recorder.metrics({"loss": 2.0}, 1)


def test_a_full_disk_fails_the_run_by_name_and_it_goes_on_once_there_is_room(
    config, stored, said, tmp_path
):
    with pytest.raises(SkincliError, match="the disk is full") as caught:
        run_into_a_full_disk(config, said)
    assert "make room" in caught.value.hint
    folder = the_folder(tmp_path)
    assert stored.run().info.status == folder.state().status == "FAILED"
    record(config, said, {1: 2.0}, folder=folder)
    assert stored.run().info.status == "FINISHED"
    assert stored.points("loss") == [(0, 3.0), (1, 2.0)]


def test_an_end_that_the_disk_does_not_take_hides_no_error_and_can_be_gone_on_with(
    config, said, folder, monkeypatch
):
    recorder = RunRecorder(config.tracking, folder, said)
    recorder.begin(config)
    with no_file_beyond(0):
        recorder.failure("why")
        recorder.end("FAILED")
    assert folder.state().status == "RUNNING"
    monkeypatch.setattr("skincli.tracking.run_folder.is_alive", lambda _: False)
    assert folder in list(unfinished_runs(folder.path.parent))


def test_runs_of_dead_processes_are_ended_and_no_others(config, stored):
    def begun(name, host, process):
        stored.client.create_run(
            stored.run_named("alive").info.experiment_id,
            run_name=name,
            tags={"skincli.host": host, "skincli.process": process},
        )

    with recorded_run(config, "alive", "", None, Silent()):
        begun("dead", host_name(), "1:1")
        begun("elsewhere", "another", "1:1")
        record(config, Silent(), {})
        statuses = {run.info.run_name: run.info.status for run in stored.runs()}
    assert statuses == {
        "alive": "RUNNING",
        "dead": "KILLED",
        "elsewhere": "RUNNING",
        "tiny": "FINISHED",
    }

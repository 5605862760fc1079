"""The owner of a run: how it begins, goes on and ends, in its folder and in the store."""

import signal

import pytest
from disks import no_file_beyond
from recording import Said, record

from skincli.errors import Interrupted, SkincliError, Stopped
from skincli.progress import Silent
from skincli.tracking.processes import host_name
from skincli.tracking.run_folder import RunFolder, unfinished_runs
from skincli.tracking.runs import RunRecorder, recorded_run
from skincli.tracking.spool import Event, Spool


@pytest.fixture
def said():
    return Said()


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

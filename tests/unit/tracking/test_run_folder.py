"""The records of a run on disk: whole through torn writes, and unfinished runs told from others."""

import dataclasses

import pytest
from disks import no_file_beyond

from skincli.errors import SkincliError
from skincli.tracking.run_folder import folder_errors, unfinished_runs

ROW = {"epoch": 0, "loss": 1.5, "accuracy": float("nan")}


def epochs(folder):
    return [row["epoch"] for row in folder.read_metrics()]


def test_the_table_has_one_header_and_a_row_for_each_epoch(folder):
    assert folder.read_metrics() == []
    for epoch in range(3):
        folder.append_metrics(ROW | {"epoch": epoch})
    assert folder.metrics.read_text().splitlines()[0] == "epoch,loss,accuracy"
    assert epochs(folder) == [0, 1, 2]


def test_an_epoch_that_a_resume_repeated_counts_once_as_it_was_last(folder):
    for epoch, loss in [(0, 3.0), (1, 2.0), (1, 1.0)]:
        folder.append_metrics(ROW | {"epoch": epoch, "loss": loss})
    assert [(row["epoch"], row["loss"]) for row in folder.read_metrics()] == [(0, 3.0), (1, 1.0)]


def test_a_table_cut_anywhere_reads_as_what_is_whole_and_goes_on(folder):
    for epoch in range(2):
        folder.append_metrics(ROW | {"epoch": epoch})
    whole = folder.metrics.read_bytes()
    lines = [whole[:end].count(b"\n") for end in range(len(whole))]
    for end, whole_lines in enumerate(lines):
        folder.metrics.write_bytes(whole[:end])
        rows = max(0, whole_lines - 1)
        assert epochs(folder) == list(range(rows))
        folder.append_metrics(ROW | {"epoch": 7})
        assert epochs(folder) == [*range(rows), 7]


def test_a_state_that_the_disk_does_not_take_leaves_the_one_before(folder):
    with (
        no_file_beyond(10),
        pytest.raises(SkincliError, match="the disk is full"),
        folder_errors(folder.path),
    ):
        folder.set_status("FAILED")
    assert folder.state().status == "RUNNING"
    assert {path.name for path in folder.path.iterdir()} == {"run.json", "config.yaml"}


def test_a_run_can_be_gone_on_with_unless_it_is_finished_or_somebody_holds_it(new_folder, tmp_path):
    def found():
        return {folder.path.name.rsplit("-", 1)[0][16:] for folder in unfinished_runs(tmp_path)}

    def leave(name, **changes):
        folder = new_folder(name=name)
        folder.write_state(dataclasses.replace(folder.state(), **changes))
        return folder

    tmp_path /= "runs"
    leave("held")
    leave("elsewhere", host="another machine", process="1:1")
    leave("killed-outright", process="1:1")
    leave("interrupted", status="KILLED", host="another machine")
    leave("failed", status="FAILED")
    leave("finished", status="FINISHED")
    leave("search", status="KILLED", kind="search")
    leave("trial", status="KILLED", parent="1" * 32)
    (leave("damaged", status="FAILED").path / "run.json").write_text("{")
    assert found() == {"killed-outright", "interrupted", "failed"}

"""A run folder by what a person calls it."""

import os

import pytest

from skincli.errors import UsageError
from skincli.tracking.finding import find_run_folder, latest_finished
from skincli.tracking.run_folder import RunFolder


@pytest.fixture
def runs(new_folder, tmp_path):
    """Two runs, the older first."""
    older, newer = new_folder("aaaa" + "1" * 28), new_folder("aaab" + "2" * 28)
    for folder, time in ((older, "20260101-000000"), (newer, "20260102-000000")):
        folder.path.rename(tmp_path / "runs" / f"{time}-tiny-{folder.state().run_id[:6]}")
    return [path.name for path in sorted((tmp_path / "runs").iterdir())]


def test_by_its_folder_by_its_id_and_by_the_start_of_it(runs, tmp_path):
    root = tmp_path / "runs"
    older, newer = (root / name for name in runs)
    for called in (str(older), "aaaa" + "1" * 28, "aaaa", older.name, f"{older}/"):
        assert find_run_folder(root, called).path == older
    assert find_run_folder(root, str(root)).path == newer
    assert find_run_folder(root, "aaab2").path == newer


def test_a_folder_is_found_from_where_one_stands_and_stays_found(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "runs" / runs[0])
    folder = find_run_folder(tmp_path / "nowhere", ".")
    os.chdir(tmp_path)
    assert folder.state().run_id.startswith("aaaa")


def test_a_damaged_record_hides_no_other_run(runs, tmp_path):
    (tmp_path / "runs" / runs[1] / "run.json").write_text('{"run_id": "aaaa"}')
    assert find_run_folder(tmp_path / "runs", "aaaa").path.name == runs[0]
    with pytest.raises(UsageError, match="is damaged"):
        find_run_folder(tmp_path / "runs", runs[1])


@pytest.mark.parametrize("called", ["aaa", "aaac", "AAAA", "nothing", "", "*", "a" * 33, "../.."])
def test_what_is_not_there_is_said_so(runs, tmp_path, called):
    with pytest.raises(UsageError, match="there is no run"):
        find_run_folder(tmp_path / "runs", called)


def test_the_latest_is_the_newest_that_has_finished(runs, tmp_path):
    root = tmp_path / "runs"
    older, newer = (RunFolder(root / name) for name in runs)
    older.set_status("FINISHED")
    newer.set_status("KILLED")
    assert latest_finished(root) == older
    newer.set_status("FINISHED")
    assert latest_finished(root) == newer
    with pytest.raises(UsageError, match="has finished"):
        latest_finished(tmp_path / "nowhere")

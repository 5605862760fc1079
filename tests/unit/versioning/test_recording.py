"""The data version of a run, told from pointers that a DVC has written once."""

import pytest
from repositories import alone, bring_raw, drawn_config, git, new_repository

from skincli.data import prepare
from skincli.errors import DataError
from skincli.progress import Silent
from skincli.versioning.pointers import Pinned, Pointer, write_pointer
from skincli.versioning.recording import (
    DataVersion,
    data_version,
    from_record,
    marks_of,
    to_record,
    to_tags,
)

RAW = Pinned("raw", "0123456789abcdef0123456789abcdef.dir", 1000, 4)


@pytest.fixture
def config(synthetic_config, tmp_path, monkeypatch):
    with alone(tmp_path):
        repository = new_repository(tmp_path / "own")
        bring_raw(synthetic_config, repository)
        monkeypatch.chdir(repository)
        yield drawn_config(synthetic_config, "no-dvc-is-asked")


def prepared_by(config):
    return prepare(config, Silent()).prepared


def point(prepared):
    """A pointer as `data version` leaves it."""
    file = prepared.folder.parent.parent / "raw.dvc"
    write_pointer(Pointer(file, RAW, marks_of(prepared)))
    return file


def version_of(config) -> DataVersion:
    found = data_version(config.data, prepared_by(config))
    assert found is not None
    return found


def test_without_a_pointer_there_is_no_version(config):
    assert data_version(config.data, prepared_by(config)) is None
    assert to_record(None) == to_tags(None) == {}


def test_without_a_repository_there_may_be_one(config, tmp_path, monkeypatch):
    point(prepared_by(config))
    config.data.root = str(tmp_path / "own" / "data")
    (tmp_path / "nowhere").mkdir()
    monkeypatch.chdir(tmp_path / "nowhere")
    assert version_of(config).name == "0123456789abcdef0123456789abcdef"


def test_the_version_is_what_the_pointer_says(config):
    point(prepared_by(config))
    found = version_of(config)
    assert (found.data, found.raw, found.modified) == ("synthetic", (RAW,), False)
    assert from_record(to_record(found)["data_version"]) == found
    assert to_tags(found) == {"skincli.data_version": "0123456789abcdef0123456789abcdef"}


def test_whether_git_has_it_is_told(config):
    file = point(prepared_by(config))
    (file.parent.parent.parent / "dvc.lock").write_text("schema: '2.0'\n")
    assert not version_of(config).committed
    git(file.parent, "add", "raw.dvc", "../../dvc.lock")
    assert not version_of(config).committed
    git(file.parent, "commit", "--quiet", "--message", "A version")
    assert version_of(config).committed


@pytest.mark.parametrize("what", ["dx", "sex", "age"])
def test_another_label_or_cell_is_another_version(config, what):
    point(prepared_by(config))
    table = prepared_by(config).folder.parent.parent / "raw" / "HAM10000_metadata.csv"
    text = table.read_text()
    old, new = {"dx": (",nv,", ",df,"), "sex": (",male,", ",none,"), "age": (",45.0,", ",55.0,")}[
        what
    ]
    assert old in text
    table.write_text(text.replace(old, new, 1))
    found = version_of(config)
    assert found.modified
    assert found.name == "0123456789abcdef0123456789abcdef-dirty"


def test_another_size_or_split_is_the_same_version_prepared_otherwise(config):
    prepared = prepared_by(config)
    file = point(prepared)
    lock = (
        "schema: '2.0'\nstages:\n  prepare:\n    cmd: c\n    deps:\n"
        f"    - {{path: data/synthetic/raw, md5: {RAW.md5}}}\n"
        "    - {path: skincli.yaml, md5: 1234}\n"
    )
    (file.parent.parent.parent / "dvc.lock").write_text(lock)
    found = version_of(config)
    assert (found.prepare["cmd"], found.packed) == ("c", True)
    config.data.image_size = 24
    found = version_of(config)
    assert (found.modified, found.prepare["cmd"], found.packed) == (False, "c", False)
    config.data.parts.seed += 1
    found = version_of(config)
    assert (found.modified, found.prepare, found.packed) == (False, {}, False)


def test_a_lock_of_another_raw_set_is_not_claimed(config):
    prepared = prepared_by(config)
    file = point(prepared)
    lock = (
        "stages:\n  prepare:\n    cmd: c\n    deps:\n"
        "    - {path: data/synthetic/raw, md5: another.dir}\n"
    )
    (file.parent.parent.parent / "dvc.lock").write_text(lock)
    assert version_of(config).prepare == {}


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\nouts:\n", "outs: []\n", "[]\n", "outs: 3\n"])
def test_a_damaged_pointer_is_said_to_be(config, text):
    point(prepared_by(config)).write_text(text)
    with pytest.raises(DataError, match=r"raw.dvc` cannot be read"):
        version_of(config)

"""Versions of the data with a real git and a real DVC: made, pushed, pulled, restored."""

import copy
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import ANY

import pytest
from repositories import (
    alone,
    bring_raw,
    clone,
    damaged,
    drawn_config,
    git,
    new_repository,
    objects,
    status_of,
)

from skincli.config.schema import Config
from skincli.data import fetch, prepare
from skincli.errors import SkincliError, UsageError
from skincli.progress import Silent
from skincli.tracking.runs import recorded_run
from skincli.versioning.checkout import checkout
from skincli.versioning.making import version
from skincli.versioning.placed import forget_placed
from skincli.versioning.recording import data_version, to_record
from skincli.versioning.remote import set_remote
from skincli.versioning.status import status
from skincli.versioning.transfer import TransferResult, pull, push
from skincli.versioning.workspace import Workspace


@dataclass(frozen=True)
class Place:
    """A repository, its settings, where its versions are pushed to, and a larger raw set."""

    path: Path
    config: Config
    store: Path
    larger: Path

    @property
    def set(self) -> Path:
        return self.path / "data" / "synthetic"

    @property
    def cache(self) -> Path:
        return self.path / ".dvc" / "cache"

    def train(self) -> tuple[str, dict[str, str]]:
        """A run that records what a training would, and the fingerprints that it was trained on."""
        prepared = prepare(self.config, Silent()).prepared
        split = prepared.manifest.split_fingerprint
        with recorded_run(self.config, "pretended", split, None, Silent()) as recorder:
            recorder.environment(to_record(data_version(self.config.data, prepared)))
        return recorder.run_id, self.fingerprints()

    def fingerprints(self) -> dict[str, str]:
        manifest = prepare(self.config, Silent()).prepared.manifest
        names = ("dataset_fingerprint", "split_fingerprint", "test_fingerprint")
        return {name: getattr(manifest, name) for name in names}

    def grow(self) -> None:
        """New images have arrived."""
        self.config.data.synthetic.lesions = 130
        shutil.rmtree(self.set / "raw")
        shutil.copytree(self.larger, self.set / "raw")


@pytest.fixture(scope="module")
def origin(
    synthetic_config: Config, dvc: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """One version, committed and pushed. Shared: nobody works in it."""
    root = tmp_path_factory.mktemp("versions")
    config = drawn_config(synthetic_config, dvc)
    bring_raw(synthetic_config, new_repository(root / "origin"))
    larger = copy.deepcopy(synthetic_config)
    larger.data.root, larger.data.synthetic.lesions = str(root / "larger"), 130
    place = Place(root / "origin", config, root / "store", fetch(larger, Silent()).folder)
    with alone(root), chdir(place.path):
        set_remote(place.config, "../store", None, None)
        version(place.config, "The first version", Silent())
        push(place.config, Silent())
        yield place


@pytest.fixture
def place(origin: Place, tmp_path: Path) -> Iterator[Place]:
    """The same with all that is in it, to work in and to spoil."""
    shutil.copytree(origin.path, tmp_path / "own")
    shutil.copytree(origin.store, tmp_path / "store")
    config = copy.deepcopy(origin.config)
    with chdir(tmp_path / "own"):
        yield Place(tmp_path / "own", config, tmp_path / "store", origin.larger)


@pytest.fixture
def cloned(origin: Place, tmp_path: Path) -> Iterator[Place]:
    """A clone, which has the pointers and no data."""
    path = clone(origin.path, tmp_path / "clone")
    (tmp_path / "store").symlink_to(origin.store)
    with chdir(path):
        yield Place(path, copy.deepcopy(origin.config), origin.store, origin.larger)


def test_a_version_is_one_commit_that_leaves_nothing_to_say(origin, dvc):
    assert git(origin.path, "status", "--porcelain", "--untracked-files=all") == ""
    assert git(origin.path, "log", "--format=%s") == "The first version\n"
    assert set(git(origin.path, "ls-files").split()) == {
        *(".dvc/.gitignore", ".dvc/config", ".dvcignore"),
        *("data/synthetic/.gitignore", "data/synthetic/raw.dvc"),
        *("dvc.lock", "dvc.yaml", "params.yaml"),
    }
    assert status_of(dvc, origin.path, "prepare", "data/synthetic/raw.dvc") == ""
    assert "analytics = false" in (origin.path / ".dvc" / "config").read_text()


def test_only_the_pointers_are_committed(place):
    (place.path / "notes.txt").write_text("not ready")
    git(place.path, "add", "notes.txt")
    place.grow()
    result = version(place.config, "The second version", Silent())
    files = set(git(place.path, "show", "--format=", "--name-only", str(result.commit)).split())
    assert files == {"data/synthetic/raw.dvc", "dvc.lock", "dvc.yaml", "params.yaml"}
    assert git(place.path, "status", "--porcelain") == "A  notes.txt\n"


def test_the_same_data_again_change_nothing_whatever_packs_lie_beside(place):
    other = copy.deepcopy(place.config)
    other.data.image_size = 24
    prepare(other, Silent())
    tracked = [place.path / name for name in git(place.path, "ls-files").split()]
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in tracked}
    result = version(place.config, "Nothing new", Silent())
    assert (result.changed, result.commit, result.staged) == (False, None, ())
    assert before == {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in tracked}


def test_a_clone_pulls_the_data_and_has_nothing_left_to_prepare(origin, cloned, synthetic_config):
    bring_raw(synthetic_config, cloned.path)
    with pytest.raises(UsageError, match=r"`dvc.lock` names splits that are not in"):
        version(cloned.config, None, Silent())
    assert not (cloned.set / "splits").exists()
    pull(cloned.config, Silent())
    assert not version(cloned.config, None, Silent()).changed
    made = [p for p in cloned.set.rglob("[a-z]*") if p.is_file() and p.suffix != ".json"]
    before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in made}

    class NoWork(Silent):
        def step(self, title: str, total: int, unit: str = "") -> None:
            raise AssertionError(title)

    assert not prepare(cloned.config, NoWork()).created
    assert before == {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in made}
    with chdir(origin.path):
        wanted = origin.fingerprints()
    assert cloned.fingerprints() == wanted
    assert git(cloned.path, "status", "--porcelain", "--untracked-files=all") == ""


def test_what_is_damaged_in_the_remote_is_found_named_and_kept_out(place, tmp_path):
    [largest, *_] = sorted(objects(place.store), key=lambda path: -path.stat().st_size)
    whole = largest.read_bytes()
    largest.chmod(0o644)
    largest.write_bytes(whole[:5000] + b"\xff\x00" + whole[5002:])
    listing = listing_of(place)
    path = clone(place.path, tmp_path / "clone")
    settings = path / ".dvc" / "config"
    assert "verify = true" in settings.read_text()
    settings.write_text(settings.read_text().replace("verify = true", ""))  # as DVC alone has it
    with chdir(path):
        with pytest.raises(
            SkincliError, match=r"`raw/HAM10000_images_part_1.zip`: damaged in"
        ) as e:
            pull(place.config, Silent())
        assert largest.parent.name + "/" + largest.name in e.value.hint
        assert not (path / "data" / "synthetic" / "raw").exists()
        assert damaged(path / ".dvc" / "cache") == []
        assert largest.name not in [each.name for each in objects(path / ".dvc" / "cache")]
        assert listing.parent.name + "/" + listing.name in e.value.hint
        largest.unlink()
        listing.unlink()
        with chdir(place.path):
            assert push(place.config, Silent()).files == 2
        pull(place.config, Silent())
        assert not prepare(place.config, Silent()).created


def test_what_is_lost_in_the_remote_is_told_from_what_is_damaged(place, tmp_path):
    listing = listing_of(place)
    table = (place.set / "raw" / "HAM10000_metadata.csv").read_bytes()
    [lost] = [path for path in objects(place.store) if path.read_bytes() == table]
    lost.unlink()
    with pytest.raises(SkincliError, match=r"raw/HAM10000_metadata.csv`: lost in the rem") as told:
        push(place.config, Silent())
    with (
        chdir(clone(place.path, tmp_path / "clone")),
        pytest.raises(SkincliError, match=r"`raw`: lost in the remote"),
    ):
        pull(place.config, Silent())
    assert f"{listing.parent.name}/{listing.name}" in told.value.hint
    listing.unlink()
    assert push(place.config, Silent()).files == 2
    assert lost.read_bytes() == table


@pytest.mark.parametrize("how", ["cut", pytest.param("changed", marks=pytest.mark.slow)])
def test_a_list_of_files_that_is_damaged_in_the_remote_is_found_too(place, tmp_path, how):
    listing = listing_of(place)
    whole = listing.read_bytes()
    listing.chmod(0o644)
    listing.write_bytes(whole[:-40] if how == "cut" else whole.replace(b"part_1", b"part_9"))
    with chdir(clone(place.path, tmp_path / "clone")):
        with pytest.raises(SkincliError, match="`raw`: damaged in the remote"):
            pull(place.config, Silent())
        assert not Path("data/synthetic/raw").exists()


@pytest.mark.slow
def test_what_was_never_pushed_is_told_from_what_is_damaged(place, tmp_path):
    place.grow()
    version(place.config, "Never pushed", Silent())
    there = clone(place.path, tmp_path / "clone")
    with chdir(there), pytest.raises(SkincliError, match="not in the remote"):
        pull(place.config, Silent())


def test_status_tells_what_has_changed_and_what_was_not_pushed(place):
    found = status(place.config, Silent())
    assert found.unchanged
    assert (found.unpushed, found.uncommitted, found.settings) == ((), (), ())
    place.grow()
    (place.set / "raw" / "new.csv").write_text("")
    place.config.optimizer.lr = 0.5
    found = status(place.config, Silent())
    assert found.added == ("data/synthetic/raw/new.csv",)
    assert "data/synthetic/raw/HAM10000_metadata.csv" in found.modified
    assert "data/synthetic/raw" not in found.modified  # its files are named
    assert found.settings == ("data.synthetic.lesions", "optimizer.lr")
    (place.set / "raw" / "new.csv").unlink()
    version(place.config, None, Silent())
    found = status(place.config, Silent())
    assert found.unchanged
    assert found.uncommitted == ("data/synthetic/raw.dvc", "dvc.lock")
    assert "data/synthetic/raw/HAM10000_metadata.csv" in found.unpushed


def test_the_data_of_a_run_come_back_although_git_never_had_them(place, dvc):
    before, smaller = place.fingerprints(), copy.deepcopy(place.config)
    place.grow()
    version(place.config, None, Silent())
    place.config.data.image_size = 24
    run, trained_on = place.train()
    pointer = (place.set / "raw.dvc").read_bytes()
    git(place.path, "reset", "--quiet", "--hard")
    pull(smaller, Silent())
    assert replace(place, config=smaller).fingerprints() == before != trained_on
    assert not checkout(place.config, run, Silent()).packed  # at this size, but dealt as it was
    assert (place.set / "raw.dvc").read_bytes() == pointer
    assert len(list(place.set.glob("splits/*/v*"))) == 2
    assert place.fingerprints() == trained_on
    place.config.data.image_size = 32
    assert not prepare(place.config, Silent()).created
    assert "changed outs" not in status_of(dvc, place.path, "prepare")


@pytest.mark.slow
def test_the_data_of_a_run_are_pulled_where_they_are_not_here(place, tmp_path):
    run, trained_on = place.train()
    there = replace(place, path=clone(place.path, tmp_path / "clone"))
    shutil.copytree(place.path / "runs", there.path / "runs")
    with chdir(there.path):
        assert checkout(there.config, run[:8], Silent()).fetched == len(objects(there.cache)) > 9
        assert not prepare(there.config, Silent()).created
        assert there.fingerprints() == trained_on


@pytest.mark.parametrize(
    "lost",
    [
        *("a changed file", "a version"),
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("a new file", "a split")),
    ],
)
def test_nothing_that_is_kept_nowhere_else_is_overwritten(place, lost):
    run, _ = place.train()
    place.grow()
    if lost == "a version":
        version(place.config, None, Silent())
    else:
        version(place.config, "The second version", Silent())
        file = (
            place.set
            / {
                "a changed file": "raw/HAM10000_metadata.csv",
                "a new file": "raw/notes.csv",
                "a split": "splits/mine/v1/images.csv",
            }[lost]
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as stream:
            stream.write("mine")
    before = _contents(place.set)
    with pytest.raises(UsageError, match=r"would be lost|has never had the present version"):
        checkout(place.config, run, Silent())
    assert _contents(place.set) == before
    checkout(place.config, run, Silent(), force=True)
    place.config.data.synthetic.lesions = 120
    assert not prepare(place.config, Silent()).created


def test_a_pull_overwrites_nothing_either(place):
    table = place.set / "raw" / "HAM10000_metadata.csv"
    with table.open("a") as stream:
        stream.write("mine")
    with pytest.raises(UsageError, match=r"would be lost: `data/synthetic/raw/HAM10000_metadata"):
        pull(place.config, Silent())
    assert table.read_text().endswith("mine")
    pull(place.config, Silent(), force=True)
    assert not table.read_text().endswith("mine")


def test_a_pull_undoes_no_removal_and_no_renaming_unasked(place):
    raw = place.set / "raw"
    archives = sorted(raw.glob("*.zip"))
    names = [f"data/synthetic/raw/{path.name}" for path in archives]
    archives[0].unlink()
    archives[1].rename(raw / "renamed.zip")
    found = status(place.config, Silent())
    assert found.pulled
    assert (found.added, found.deleted) == (("data/synthetic/raw/renamed.zip",), tuple(names))
    with pytest.raises(UsageError, match="would be lost") as told:
        pull(place.config, Silent())
    assert all(name in told.value.message for name in (*names, *found.added))
    assert not archives[0].exists()
    forget_placed(Workspace.of(place.config))  # as where a pull was cut off
    pull(place.config, Silent())
    assert sorted(raw.glob("*.zip")) == archives


def test_what_is_damaged_in_the_cache_is_brought_again_and_not_pushed(place):
    [images] = place.set.glob("prepared/*/images.npy")
    whole = images.read_bytes()
    [kept] = [path for path in objects(place.cache) if path.read_bytes() == whole]
    flip_a_bit(kept)
    shutil.rmtree(place.set / "prepared")
    assert pull(place.config, Silent()).files == 1
    assert images.read_bytes() == whole
    assert damaged(place.cache) == []
    settings = (place.path / ".dvc" / "config").read_text()
    (place.path / ".dvc" / "config").write_text("")
    (place.set / "raw" / "HAM10000_metadata.csv").unlink()
    assert pull(place.config, Silent(), force=True) == TransferResult(None, ANY, 0)
    assert not prepare(place.config, Silent()).created
    (place.path / ".dvc" / "config").write_text(settings)
    flip_a_bit(kept)
    with pytest.raises(UsageError, match=r"no whole `data/synthetic/prepared/.*/images.npy`"):
        push(place.config, Silent())


def test_the_data_of_a_run_that_are_in_place_change_nothing(place):
    run, _ = place.train()
    assert checkout(place.config, run, Silent()).fetched == 0
    assert git(place.path, "status", "--porcelain", "--untracked-files=no") == ""


def test_a_run_on_changed_data_is_recorded_as_such_and_cannot_be_restored(place):
    table = place.set / "raw" / "HAM10000_metadata.csv"
    text = table.read_text()
    assert ",male," in text
    table.write_text(text.replace(",male,", ",none,", 1))  # as many bytes
    run, _ = place.train()
    [record] = place.path.glob("runs/*/environment.json")
    told = json.loads(record.read_text())["data_version"]
    assert told["modified"]
    assert told["name"].endswith("-dirty")
    with pytest.raises(UsageError, match="had changed since version"):
        checkout(place.config, run, Silent())


@pytest.mark.parametrize("link", ["hardlink", pytest.param("symlink", marks=pytest.mark.slow)])
def test_new_images_leave_a_cache_whole_that_the_files_are_links_to(place, dvc, link):
    subprocess.run([dvc, "config", "cache.type", link], cwd=place.path, check=True)
    place.grow()
    version(place.config, "Linked", Silent())
    run, trained_on = place.train()
    table = place.set / "raw" / "HAM10000_metadata.csv"
    assert table.is_symlink() if link == "symlink" else table.stat().st_nlink > 1
    place.config.data.synthetic.lesions = 140
    fetch(place.config, Silent())
    prepare(place.config, Silent())
    assert damaged(place.cache) == []
    version(place.config, "Linked and grown", Silent())
    assert damaged(place.cache) == []
    checkout(place.config, run, Silent())
    place.config.data.synthetic.lesions = 130
    assert not prepare(place.config, Silent()).created
    assert place.fingerprints() == trained_on


def listing_of(place: Place) -> Path:
    """The list of raw files in the remote."""
    pointer = (place.set / "raw.dvc").read_text()
    [found] = [path for path in objects(place.store) if path.parent.name + path.name in pointer]
    return found


def flip_a_bit(kept: Path) -> None:
    """Damage an object of the cache in a way that DVC does not see."""
    whole = kept.read_bytes()
    kept.chmod(0o644)
    kept.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    kept.chmod(0o444)  # it looks no closer


def _contents(folder: Path) -> dict[Path, bytes]:
    kept = ("raw", "splits", "raw.dvc")
    files = (path for name in kept for path in (folder / name, *(folder / name).rglob("*")))
    return {path: path.read_bytes() for path in files if path.is_file()}

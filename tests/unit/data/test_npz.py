"""MedMNIST's npz files: read without pickle, unpacked once."""

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from npz_files import COUNTS, members, write_npz
from PIL import Image

from skincli.config.schema import Config
from skincli.data import prepare
from skincli.data.raw import RawFile, SourceRecord, settings_of, write_record
from skincli.data.reading.npz import open_npz
from skincli.data.storage import SetFolder
from skincli.progress import Silent
from skincli.taxonomy import DIAGNOSIS_CODES


def test_images_labels_and_parts_come_out_as_they_are(tmp_path: Path) -> None:
    content = members()
    parts = open_npz(write_npz(tmp_path), tmp_path / "unpacked")
    assert [part.part for part in parts] == ["train", "val", "test"]
    for part, official in zip(parts, ("train", "validation", "test"), strict=True):
        images = content[f"{part.part}_images"]
        entries, rows = dict(part.entries()), list(part.rows())
        assert [row.image_id for row in rows] == list(entries)
        assert list(entries)[:2] == [f"{part.part}_00000", f"{part.part}_00001"]
        assert {(row.part, row.line) for row in rows} == {(official, 0)}
        assert [row.dx for row in rows] == [DIAGNOSIS_CODES[n % 7] for n in range(len(images))]
        assert {row.lesion_id for row in rows} == set(entries)
        for image, entry in zip(images, entries.values(), strict=True):
            assert (np.asarray(Image.open(io.BytesIO(entry.read()))) == image).all()
            assert entry.size == image.nbytes


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint64])
def test_labels_may_be_flat_and_of_any_whole_numbers(tmp_path: Path, dtype: type) -> None:
    labels = np.array([0, 6, 7, 100, 2, 3, 4, 5, 6], dtype=dtype)
    *_, test = open_npz(write_npz(tmp_path, test_labels=labels), tmp_path / "unpacked")
    assert [row.dx for row in test.rows()][:4] == ["akiec", "vasc", "7", "100"]


def test_members_are_unpacked_once(tmp_path: Path) -> None:
    path, unpacked = write_npz(tmp_path), tmp_path / "unpacked"
    open_npz(path, unpacked)
    before = {
        file.name: (file.stat().st_ino, file.stat().st_mtime_ns) for file in unpacked.iterdir()
    }
    assert len(before) == 7  # six members and the lock
    open_npz(path, unpacked)
    for name, stamp in before.items():
        if name != ".lock":
            assert ((unpacked / name).stat().st_ino, (unpacked / name).stat().st_mtime_ns) == stamp


def test_a_member_cut_short_since_is_unpacked_again(tmp_path: Path) -> None:
    path, unpacked = write_npz(tmp_path), tmp_path / "unpacked"
    open_npz(path, unpacked)
    (file,) = unpacked.glob("*-val_images.npy")
    os.truncate(file, 100)
    _, val, _ = open_npz(path, unpacked)
    assert (val.images == members()["val_images"]).all()


def test_another_file_leaves_nothing_of_the_first_and_has_other_tokens(tmp_path: Path) -> None:
    unpacked = tmp_path / "unpacked"
    first, *_ = open_npz(write_npz(tmp_path), unpacked)
    (unpacked / "0-train_images.npy.partial").write_bytes(b"left by a kill")
    other = members()["train_images"][::-1].copy()
    second, *_ = open_npz(write_npz(tmp_path, train_images=other), unpacked)
    assert len(list(unpacked.glob("*.npy"))) == 6
    assert not list(unpacked.glob("*.partial"))
    tokens = [{entry.token for _, entry in part.entries()} for part in (first, second)]
    assert tokens[0].isdisjoint(tokens[1])


OPEN = (
    "import sys; from pathlib import Path; from skincli.data.reading.npz import open_npz\n"
    "print(sum(int(p.images[:, ::16].sum()) for p in open_npz(*map(Path, sys.argv[1:]))))"
)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 MB when unpacked."""
    images = np.zeros((550, 224, 224, 3), np.uint8)
    labels = np.zeros((550, 1), np.uint8)
    folder = tmp_path_factory.mktemp("large")
    return write_npz(folder, train_images=images, train_labels=labels)


def test_a_kill_while_unpacking_leaves_nothing_half_done(large: Path, tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", OPEN, large, tmp_path])
    while not list(tmp_path.glob("*-train_images.npy.partial")):
        assert child.poll() is None
        time.sleep(0.001)
    child.send_signal(signal.SIGKILL)
    child.wait()
    with zipfile.ZipFile(large) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    for file in tmp_path.glob("*.npy"):
        assert file.stat().st_size == sizes[file.name.partition("-")[2]]
    train, *_ = open_npz(large, tmp_path)
    assert train.images.shape == (550, 224, 224, 3)
    assert not list(tmp_path.glob("*.partial"))


def test_two_commands_at_once_do_not_disturb_each_other(large: Path, tmp_path: Path) -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", OPEN, large, tmp_path], stdout=-1, text=True)
        for _ in range(2)
    ]
    first, second = (child.communicate()[0] for child in children)
    assert [child.returncode for child in children] == [0, 0]
    assert first == second != ""


def test_a_set_is_prepared_with_its_official_parts(tmp_path: Path, progress) -> None:
    labels = members()["train_labels"].copy()
    labels[3] = 9
    config = Config()
    config.data.source, config.data.split = "dermamnist", "official"
    config.data.root, config.data.image_size = str(tmp_path / "data"), 28
    raw = SetFolder.of(config.data).raw
    raw.mkdir(parents=True)
    path = write_npz(raw, train_labels=labels)
    record = SourceRecord(
        source="dermamnist", origin="here", licence="CC BY-NC 4.0", synthetic=False, verified=True,
        settings=settings_of(config.data), files={path.name: RawFile(path.stat().st_size, "")},
    )  # fmt: skip
    write_record(raw, record)
    prepared = prepare(config, progress).prepared
    parts = {sample.image_id: sample.part for sample in prepared.samples}
    assert len(parts) == sum(COUNTS.values()) - 1
    assert {part for image_id, part in parts.items() if image_id.startswith("test")} == {"test"}
    assert any("train_00003: 9" in warning for warning in progress.warnings)
    row = [sample.image_id for sample in prepared.samples].index("test_00002")
    assert (prepared.images[row] == members()["test_images"][2]).all()
    assert not prepare(config, Silent()).created

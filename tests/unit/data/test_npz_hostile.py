"""An npz that is no DermaMNIST file, or a bomb, is refused before it is unpacked."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from clinic import forge
from npz_files import members, npy, rewrite, write_npz
from numpy.typing import NDArray

from skincli.data.reading.npz import open_npz
from skincli.errors import DataError, SkincliError


def refused(path: Path, unpacked: Path) -> str:
    """The message; nothing of the first member may have been unpacked."""
    with pytest.raises(DataError) as caught:
        open_npz(path, unpacked)
    assert caught.value.message.startswith(f"`{path}` is not a DermaMNIST file")
    assert [file.name for file in unpacked.glob("*") if "train_images" in file.name] == []
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("train_images", np.zeros((14, 28, 28, 3), np.float32)),
        ("train_images", np.zeros((14, 28, 28), np.uint8)),
        ("train_images", np.zeros((14, 28, 28, 4), np.uint8)),
        ("train_images", np.zeros((14, 28, 30, 3), np.uint8)),
        ("train_images", np.zeros((1, 225, 225, 3), np.uint8)),
        ("train_images", np.zeros((14, 0, 0, 3), np.uint8)),
        ("train_images", np.zeros((0, 28, 28, 3), np.uint8)),
        ("train_images", np.zeros((), np.uint8)),
        ("train_images", np.array([{"a": 1}] * 14, dtype=object)),
    ],
)
def test_what_is_no_array_of_images_is_refused_before_it_is_unpacked(
    tmp_path: Path, name: str, array: NDArray[np.generic]
) -> None:
    message = refused(write_npz(tmp_path, **{name: array}), tmp_path / "unpacked")
    assert message.endswith(f"{name}.npy is {array.dtype} {list(array.shape)}")


@pytest.mark.parametrize(
    "labels",
    [
        np.zeros(14),
        np.zeros((14, 2), np.uint8),
        np.array(3),
        np.array(["nv"] * 14),
        np.zeros(14, "?"),
    ],
)
def test_what_is_no_array_of_labels_is_refused(tmp_path: Path, labels: NDArray[np.generic]) -> None:
    with pytest.raises(DataError, match=r"not a DermaMNIST file: train_labels\.npy is "):
        open_npz(write_npz(tmp_path, train_labels=labels), tmp_path / "unpacked")


def test_a_label_for_each_image(tmp_path: Path) -> None:
    path = write_npz(tmp_path, val_labels=np.zeros((7, 1), np.uint8))
    with pytest.raises(DataError, match="val has 8 images and 7 labels"):
        open_npz(path, tmp_path / "unpacked")


@pytest.mark.parametrize("name", ["train_images.npy", "test_labels.npy"])
def test_a_missing_member_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "dermamnist.npz"
    np.savez_compressed(path, **{k: v for k, v in members().items() if f"{k}.npy" != name})
    with pytest.raises(DataError, match=name):
        open_npz(path, tmp_path / "unpacked")


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04]\x94.",
        b"\x93NUMPY\x01\x00\x10\x00{'descr': (((((\n",
        b"\x93NUMPY\x01\x00\x04\x00{}  ",
        b"\x93NUMPY\x01\x00\xff\xff",
        b"\x93NUMPY\x02\x00\x04\x00\x00\x00{}  ",
        b"",
    ],
)
def test_a_member_that_is_no_array_is_refused(tmp_path: Path, data: bytes) -> None:
    path = write_npz(tmp_path)
    rewrite(path, "train_images.npy", data)
    assert "no array" in refused(path, tmp_path / "unpacked")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04" + bytes(99)])
def test_a_file_that_is_no_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "dermamnist.npz"
    path.write_bytes(content)
    refused(path, tmp_path / "unpacked")


@pytest.mark.parametrize("surplus", [-1, 5000, 64 << 20])
def test_a_member_longer_or_shorter_than_its_array_is_refused(tmp_path: Path, surplus: int) -> None:
    path = write_npz(tmp_path)
    whole = npy(members()["train_images"])
    rewrite(path, "train_images.npy", (whole + bytes(max(surplus, 0)))[: len(whole) + surplus])
    assert "train_images.npy declares" in refused(path, tmp_path / "unpacked")


def test_a_shape_whose_size_overflows_is_refused(tmp_path: Path) -> None:
    path = write_npz(tmp_path)
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (65536, 16777216, 16777216, 3)}\n"
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    rewrite(path, "train_images.npy", data)
    assert "is uint8 [65536, 16777216, 16777216, 3]" in refused(path, tmp_path / "unpacked")


def test_a_member_that_inflates_to_more_than_it_declares_is_cut_off(tmp_path: Path) -> None:
    path, unpacked = write_npz(tmp_path), tmp_path / "unpacked"
    whole = npy(members()["train_images"])
    rewrite(path, "train_images.npy", whole + bytes(64 << 20))
    forge(path, "train_images.npy", size=len(whole))
    with pytest.raises(DataError, match="CRC"):
        open_npz(path, unpacked)
    assert sum(file.stat().st_size for file in unpacked.iterdir()) <= len(whole)
    assert not list(unpacked.glob("*.npy"))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_packed_in_another_way_are_refused(tmp_path: Path, method: int) -> None:
    path = write_npz(tmp_path)
    rewrite(path, "train_images.npy", npy(members()["train_images"]), method)
    assert "neither stored nor deflated" in refused(path, tmp_path / "unpacked")


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = write_npz(tmp_path)
    forge(path, "train_images.npy", flags=0x1)
    assert "encrypted" in refused(path, tmp_path / "unpacked")


def test_a_full_disk_is_noticed_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("skincli.data.storage.shutil.disk_usage", lambda _: usage)
    with pytest.raises(SkincliError, match="MB free"):
        open_npz(write_npz(tmp_path), tmp_path / "unpacked")
    assert [file.name for file in (tmp_path / "unpacked").iterdir()] == [".lock"]

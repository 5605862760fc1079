"""MedMNIST's npz files: six members, images and labels of three parts, read without pickle.

The members are compressed, and the largest holds a gigabyte. Each is unpacked once, as a stream,
to the `.npy` file that it is, and memory-mapped from there.
"""

import fcntl
import io
import math
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skincli.data.reading.archives import DAMAGE, is_bounded
from skincli.data.reading.table import RawRow
from skincli.data.storage import require_space
from skincli.errors import DataError
from skincli.imaging import Pixels
from skincli.taxonomy import DIAGNOSIS_CODES

# MedMNIST's labels count the diagnoses in alphabetical order of their codes, as we do.
_PARTS: Final = {"train": "train", "val": "validation", "test": "test"}
_LOCK: Final = ".lock"
_MOST_IMAGES: Final = 200_000
_LONGEST_SIDE: Final = 224


@dataclass(frozen=True, slots=True)
class ArrayEntry:
    """One image of an array, handed out as the bytes of an uncompressed BMP."""

    images: Pixels
    row: int
    token: str

    @property
    def size(self) -> int:
        return int(self.images[self.row].nbytes)

    def read(self) -> bytes:
        stream = io.BytesIO()
        Image.fromarray(self.images[self.row]).save(stream, format="BMP")
        return stream.getvalue()


@dataclass(frozen=True, slots=True)
class NpzImages:
    """The images uint8 `[N, S, S, 3]` and labels of one part; ids are `train_00000` and so on.

    `token` names the bytes that all its images come from.
    """

    part: str
    images: Pixels
    labels: NDArray[np.int64]
    token: str

    def entries(self) -> Iterator[tuple[str, ArrayEntry]]:
        for row in range(len(self.images)):
            yield f"{self.part}_{row:05d}", ArrayEntry(self.images, row, self.token)

    def rows(self) -> Iterator[RawRow]:
        for row, label in enumerate(self.labels.tolist()):
            image_id = f"{self.part}_{row:05d}"
            known = 0 <= label < len(DIAGNOSIS_CODES)
            yield RawRow(
                line=0,
                image_id=image_id,
                lesion_id=image_id,
                dx=DIAGNOSIS_CODES[label] if known else str(label),
                part=_PARTS[self.part],
            )


def open_npz(path: Path, unpacked: Path) -> list[NpzImages]:
    """The three parts of `path`, unpacked under the folder `unpacked`, which holds nothing else.

    Raises DataError for another file, SkincliError when the disk is too small.
    """
    try:
        with zipfile.ZipFile(path) as archive, _alone_in(unpacked):
            parts = [_part(archive, part, unpacked) for part in _PARTS]
            _remove_strays(archive, unpacked)
            return parts
    except (KeyError, *DAMAGE) as error:
        raise DataError(
            f"`{path}` is not a DermaMNIST file: {error}", "remove it and fetch it again"
        ) from None


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Two commands may want to unpack the same members at the same time."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _part(archive: zipfile.ZipFile, part: str, unpacked: Path) -> NpzImages:
    entry = archive.getinfo(f"{part}_images.npy")
    images: Pixels = _member(archive, entry, unpacked)
    labels = _member(archive, archive.getinfo(f"{part}_labels.npy"), unpacked)
    if len(images) != len(labels):
        raise ValueError(f"{part} has {len(images):,} images and {len(labels):,} labels")
    return NpzImages(part, images, labels.reshape(-1).astype(np.int64), f"{entry.CRC:08x}")


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, unpacked: Path) -> NDArray[Any]:
    target = unpacked / _unpacked_name(entry)
    if not (target.is_file() and target.stat().st_size == entry.file_size):
        _require_plausible(archive, entry)
        require_space(unpacked, entry.file_size)
        partial = target.with_name(target.name + ".partial")
        with archive.open(entry) as stream, partial.open("wb") as copy:
            shutil.copyfileobj(stream, copy, 1 << 20)
        partial.replace(target)
    array: NDArray[Any] = np.load(target, mmap_mode="r", allow_pickle=False)
    return array


def _unpacked_name(entry: zipfile.ZipInfo) -> str:
    return f"{entry.CRC:08x}-{entry.filename}"


def _remove_strays(archive: zipfile.ZipFile, unpacked: Path) -> None:
    """Free the room that members of an earlier file take, and what an interruption left."""
    wanted = {_LOCK, *map(_unpacked_name, archive.infolist())}
    for path in unpacked.iterdir():
        if path.name not in wanted:
            path.unlink()


def _require_plausible(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Read the header alone, before anything is unpacked.

    A bomb declares more than an array of its shape takes; a pickle has no shape at all.
    """
    if not is_bounded(entry):
        raise ValueError(f"{entry.filename} is neither stored nor deflated")
    with archive.open(entry) as stream:
        shape, dtype = _header(stream)
        header = stream.tell()
    ours = _holds_images if entry.filename.endswith("_images.npy") else _holds_labels
    if not ours(shape, dtype):
        raise ValueError(f"{entry.filename} is {dtype} {list(shape)}")
    size = header + math.prod(shape) * dtype.itemsize
    if entry.file_size != size:
        raise ValueError(f"{entry.filename} declares {entry.file_size:,} bytes, {size:,} needed")


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(stream)
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    except Exception as error:  # numpy reads a header as Python text, which fails in many ways
        raise ValueError(f"a member is no array ({error})") from None
    if version != (1, 0):
        raise ValueError(f"a member has npy version {version}")
    return shape, dtype


def _holds_images(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Whether it is uint8 `[N, S, S, 3]`."""
    if len(shape) != 4 or dtype != np.uint8:
        return False
    count, height, width, channels = shape
    sides = range(1, _LONGEST_SIDE + 1)
    return 0 < count <= _MOST_IMAGES and height == width in sides and channels == 3


def _holds_labels(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Whether it is whole numbers, `[N]` or `[N, 1]`."""
    if dtype.kind not in "iu" or len(shape) not in (1, 2):
        return False
    return 0 < shape[0] <= _MOST_IMAGES and shape[1:] in ((), (1,))

"""A prepared set on disk: decoding images into one memory-mapped array, and opening it again."""

import csv
import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np

from skincli.config.data import Crop
from skincli.data.fingerprints import split_fingerprint
from skincli.data.reading.images import ImageStore
from skincli.data.records import Manifest, PreparedSet, Sample
from skincli.data.storage import write_json
from skincli.errors import DataError, ImageError
from skincli.imaging import Limits, Pixels, read_input
from skincli.progress import Progress

_IMAGES: Final = "images.npy"
_SAMPLES: Final = "samples.csv"
_MANIFEST: Final = "manifest.json"
_BATCH: Final = 256
_SHOWN: Final = 5
_COLUMNS: Final = tuple(field.name for field in fields(Sample))


@dataclass(frozen=True, slots=True)
class Shot:
    """How images are to be decoded."""

    size: int
    crop: Crop
    limits: Limits


def pack_bytes(count: int, size: int) -> int:
    """The bytes that `count` packed images take on disk."""
    return count * size * size * 3


def decode_images(
    folder: Path, store: ImageStore, image_ids: Sequence[str], shot: Shot, progress: Progress
) -> list[str]:
    """Decode into `folder/images.npy`, uint8 `[N, size, size, 3]`, in the order of `image_ids`.

    Returns the SHA-256 of each image's file. Threads write straight into the array (Pillow lets
    go of the interpreter while it decodes), so memory stays flat. Raises DataError that names
    all images that cannot be read.
    """
    shape = (len(image_ids), shot.size, shot.size, 3)
    path = folder / _IMAGES
    array: Pixels = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    _reserve(path)
    faults: list[str] = []

    def decode_row(row: int) -> str:
        try:
            data = store.read(image_ids[row])
            array[row] = read_input(data, shot.size, shot.crop, shot.limits)
        except ImageError as error:
            faults.append(f"`{image_ids[row]}` ({error.message})")
            return ""
        return hashlib.sha256(data).hexdigest()

    digests: list[str] = []
    threads = len(os.sched_getaffinity(0))
    with (
        progress.step("Decoding images", len(image_ids)) as step,
        ThreadPoolExecutor(threads) as pool,
    ):
        for start in range(0, len(image_ids), _BATCH):
            rows = range(start, min(start + _BATCH, len(image_ids)))
            digests.extend(pool.map(decode_row, rows))
            step.advance(len(rows))
    _raise_faults(sorted(faults))
    return digests


def _reserve(path: Path) -> None:
    """Claim the file's blocks: writing to a memory map on a full disk would kill the process."""
    with path.open("r+b") as stream:
        os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)


def _raise_faults(faults: Sequence[str]) -> None:
    if faults:
        more = f" and {len(faults) - _SHOWN:,} more" if len(faults) > _SHOWN else ""
        raise DataError(
            f"{len(faults):,} image{'s' if len(faults) > 1 else ''} cannot be read: "
            f"{', '.join(faults[:_SHOWN])}{more}",
            "mend the files, or remove their rows from the metadata",
        )


def write_tables(folder: Path, samples: Sequence[Sample], manifest: Manifest) -> None:
    """Write `samples.csv` and `manifest.json` beside the images."""
    with (folder / _SAMPLES).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows([getattr(sample, name) for name in _COLUMNS] for sample in samples)
    write_json(folder / _MANIFEST, asdict(manifest))


def open_pack(folder: Path) -> PreparedSet | None:
    """The prepared set in a folder, None where there is none that is whole."""
    try:
        content = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest(**content)
        samples = _read_samples(folder / _SAMPLES)
        images = np.load(folder / _IMAGES, mmap_mode="r", allow_pickle=False)
    except (OSError, EOFError, ValueError, TypeError, KeyError, csv.Error):
        return None
    side = manifest.image_size
    whole = (
        images.dtype == np.uint8
        and images.shape == (manifest.n_images, side, side, 3)
        and len(samples) == manifest.n_images
        and split_fingerprint(samples) == manifest.split_fingerprint
    )
    return PreparedSet(folder, images, samples, manifest) if whole else None


def _read_samples(path: Path) -> tuple[Sample, ...]:
    with path.open(encoding="utf-8", newline="") as stream:
        return tuple(_sample(record) for record in csv.DictReader(stream))


def _sample(record: dict[str, str]) -> Sample:
    age = float(record["age"]) if record["age"] else None
    return Sample(**{**record, "age": age})  # type: ignore[arg-type]

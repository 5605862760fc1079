"""Small files in MedMNIST's layout."""

import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Members = dict[str, NDArray[np.generic]]
COUNTS = {"train": 14, "val": 8, "test": 9}


def members() -> Members:
    """The six members of a small file; labels go round through the diagnoses."""
    rng = np.random.default_rng(0)
    images: Members = {
        f"{part}_images": rng.integers(0, 256, (count, 28, 28, 3), dtype=np.uint8)
        for part, count in COUNTS.items()
    }
    labels: Members = {
        f"{part}_labels": np.arange(count, dtype=np.uint8)[:, None] % 7
        for part, count in COUNTS.items()
    }
    return images | labels


def write_npz(folder: Path, **replaced: NDArray[np.generic]) -> Path:
    path = folder / "dermamnist.npz"
    np.savez_compressed(path, **(members() | replaced))
    return path


def npy(array: NDArray[np.generic]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def rewrite(path: Path, name: str, data: bytes, method: int = zipfile.ZIP_DEFLATED) -> None:
    """Put other bytes in the place of one member."""
    with zipfile.ZipFile(path) as archive:
        kept = {n: archive.read(n) for n in archive.namelist() if n != name}
    with zipfile.ZipFile(path, "w", method) as archive:
        for other, content in (kept | {name: data}).items():
            archive.writestr(other, content)

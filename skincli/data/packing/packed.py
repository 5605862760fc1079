"""Packed images: a memory-mapped array whose chunks are verified when they are first read."""

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skincli.errors import DataError
from skincli.imaging import Pixels

# Images that share a checksum, and the unit of work in decoding.
CHUNK: Final = 64


class PackedImages:
    """Images uint8 `[N, S, S, 3]` on disk. Indexing with rows copies them into memory.

    Raises DataError when a chunk that is read for the first time is not as it was written.
    """

    def __init__(self, path: Path, checksums: Sequence[int]) -> None:
        """Raises OSError or ValueError when the file is no such array."""
        self.path = path
        array: Pixels = np.load(path, mmap_mode="r", allow_pickle=False)
        if array.dtype != np.uint8 or array.ndim != 4 or array.shape[1:] != (*array.shape[1:3], 3):
            raise ValueError(f"{path} holds {array.dtype} {array.shape}")
        if len(checksums) != -(-len(array) // CHUNK):
            raise ValueError(f"{path} has {len(checksums)} checksums for {len(array)} images")
        self._array = array.view(np.ndarray)
        self._checksums = checksums
        self._verified = np.zeros(len(checksums), dtype=np.bool_)

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self._array.shape
        return shape

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, rows: NDArray[np.intp]) -> Pixels:
        chunks = rows // CHUNK
        if not self._verified[chunks].all():
            for chunk in np.unique(chunks).tolist():
                self._verify(chunk)
        return self._array[rows]

    def verify_all(self) -> Iterator[int]:
        """Read and check every chunk; gives the number of images in each as it goes."""
        self._verified[:] = False
        for chunk in range(len(self._checksums)):
            self._verify(chunk)
            yield len(self._array[chunk * CHUNK : (chunk + 1) * CHUNK])

    def _verify(self, chunk: int) -> None:
        if self._verified[chunk]:
            return
        if checksum(self._array, chunk) != self._checksums[chunk]:
            raise DataError(
                f"`{self.path}` is damaged: images {chunk * CHUNK} to {(chunk + 1) * CHUNK - 1} "
                "are not as they were packed",
                f"remove `{self.path.parent}` and run `skincli data prepare` again",
            )
        self._verified[chunk] = True


def checksum(array: Pixels, chunk: int) -> int:
    """The CRC-32 of a chunk's bytes: against accidents, at more than a gigabyte a second."""
    return zlib.crc32(array[chunk * CHUNK : (chunk + 1) * CHUNK].data)

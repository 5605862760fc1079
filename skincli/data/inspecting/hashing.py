"""Perceptual hashes of thumbnails, and the pairs that lie near each other, without trying all."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skincli.imaging import Pixels

_SIDE: Final = 8
_BITS: Final = _SIDE * _SIDE - 1
_QUERIES: Final = 1024


@dataclass(frozen=True, slots=True, eq=False)
class PerceptualHash:
    """Hashes of N images: `bits` uint8 `[N, 63]` (0 or 1), `words` the same in uint64 `[N]`."""

    bits: NDArray[np.uint8]
    words: NDArray[np.uint64]


def perceptual_hash(thumbnails: Pixels) -> PerceptualHash:
    """The hash of each of the thumbnails, uint8 `[N, S, S]`."""
    from scipy.fft import dctn

    spectrum = dctn(thumbnails.astype(np.float32), axes=(1, 2), norm="ortho")
    low = spectrum[:, :_SIDE, :_SIDE].reshape(len(thumbnails), -1)[:, 1:]  # all but the mean
    bits = (low > np.median(low, axis=1, keepdims=True)).astype(np.uint8)
    packed = np.packbits(np.pad(bits, ((0, 0), (0, 1))), axis=1)
    return PerceptualHash(bits, packed.view(np.uint64).ravel())


def near_pairs(ours: PerceptualHash, theirs: PerceptualHash, distance: int) -> NDArray[np.intp]:
    """Pairs `[P, 2]` of rows, first below second, whose hashes differ in `distance` bits or fewer.

    The bits are dealt into `distance + 1` bands: hashes that near agree in one band at least, so
    only images that share a band are compared (multi-index hashing, Norouzi et al. 2012).
    """
    bands = distance + 1
    found = [np.empty((0, 2), dtype=np.intp)]
    for band in range(bands):
        weights = 1 << np.arange(len(range(band, _BITS, bands)))
        keys, others = ours.bits[:, band::bands] @ weights, theirs.bits[:, band::bands] @ weights
        order = np.argsort(others, kind="stable")
        begin = np.searchsorted(others[order], keys, side="left")
        end = np.searchsorted(others[order], keys, side="right")
        for start in range(0, len(keys), _QUERIES):
            rows = np.arange(start, min(start + _QUERIES, len(keys)))
            first, second = _sharing(rows, order, begin, end)
            differ = np.bitwise_count(ours.words[first] ^ theirs.words[second])
            near = (first < second) & (differ <= distance)
            found.append(np.stack([first[near], second[near]], axis=1))
    return np.unique(np.concatenate(found), axis=0)


def _sharing(
    rows: NDArray[np.intp],
    order: NDArray[np.intp],
    begin: NDArray[np.intp],
    end: NDArray[np.intp],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Each of `rows` beside every row whose key is equal, `order[begin:end]`."""
    counts = end[rows] - begin[rows]
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(rows, counts), order[np.repeat(begin[rows], counts) + offsets]

"""Images of one part of a set: kept on the device when they fit, otherwise streamed to it."""

import math
from collections.abc import Iterator
from typing import Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from skincli.data.packing.packed import PackedImages
from skincli.training.input.ahead import ahead
from skincli.training.input.cache import DeviceCache

Rows = NDArray[np.int64]

# So many images are copied at a time when a part is moved to the device.
_BLOCK: Final = 256

# Batches on their way to a GPU, and threads that copy them: one thread gathers and copies 3 GB/s
# (measured without a GPU), and 10,000 images a second at 224 px are 1.5 GB/s.
_BATCHES_AHEAD: Final = 3
_THREADS: Final = 2


class Source(Protocol):
    """Where the pixels of a part come from."""

    def batches(self, order: Rows, size: int) -> Iterator[torch.Tensor]:
        """uint8 images `[B, S, S, 3]` on the device, `size` at a time; the last may be fewer.

        `order [n]` counts the part's own images. Raises DataError when a stored one is damaged.
        """


def open_source(packed: PackedImages, rows: Rows, cache: DeviceCache) -> Source:
    """The images `rows` of the pack, kept on the cache's device when it has room for them."""
    if cache.take(len(rows) * math.prod(packed.shape[1:])):
        return Resident(packed, rows, cache.device)
    if cache.device.type == "cuda":
        return Streamed(packed, rows, cache.device)
    return Mapped(packed, rows)


class Resident:
    """Images copied to the device once, a block at a time."""

    def __init__(self, packed: PackedImages, rows: Rows, device: torch.device) -> None:
        shape = (len(rows), *packed.shape[1:])
        self._images = torch.empty(shape, dtype=torch.uint8, device=device)
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            self._images[start : start + _BLOCK] = torch.from_numpy(packed[block])

    def batches(self, order: Rows, size: int) -> Iterator[torch.Tensor]:
        if self._images.device.type == "cpu":
            # NumPy copies whole images at once; torch's indexing took several times as long.
            pixels = self._images.numpy()
            return (torch.from_numpy(pixels[batch]) for batch in _cut(order, size))
        moved = torch.from_numpy(order).to(self._images.device)
        return (self._images[batch] for batch in torch.split(moved, size))


class Mapped:
    """On a CPU: batches straight from the file's pages, which the system caches."""

    def __init__(self, packed: PackedImages, rows: Rows) -> None:
        self._packed, self._rows = packed, rows

    def batches(self, order: Rows, size: int) -> Iterator[torch.Tensor]:
        return (torch.from_numpy(self._packed[self._rows[b]]) for b in _cut(order, size))


class Streamed:
    """On a GPU: file to pinned memory to the device, in threads and beside the step's kernels."""

    def __init__(self, packed: PackedImages, rows: Rows, device: torch.device) -> None:
        self._packed, self._rows, self._device = packed, rows, device

    def batches(self, order: Rows, size: int) -> Iterator[torch.Tensor]:
        copies = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]

        def copy(batch: Rows) -> tuple[torch.Tensor, torch.cuda.Event]:
            with torch.cuda.stream(copies):
                # torch keeps the pinned memory from being used again before the copy is done.
                pinned = torch.from_numpy(self._packed[self._rows[batch]]).pin_memory()
                return pinned.to(self._device, non_blocking=True), copies.record_event()

        for pixels, copied in ahead(
            copy, _cut(order, size), depth=_BATCHES_AHEAD, threads=_THREADS
        ):
            step = torch.cuda.current_stream(self._device)
            step.wait_event(copied)
            pixels.record_stream(step)  # its memory is the side stream's to give away
            yield pixels


def _cut(order: Rows, size: int) -> Iterator[Rows]:
    return (order[start : start + size] for start in range(0, len(order), size))

"""The least that preparing could cost: decoding and resizing, and nothing else.

No limits, no checks, no orientation, no file: a JPEG in memory to its pixels in an array.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import perf_counter

import numpy as np
import simplejpeg
from PIL import Image

from skincli.config.data import Crop
from skincli.data.packing.packed import CHUNK
from skincli.imaging import Pixels
from skincli.imaging.framing import place
from skincli.imaging.jpeg import least_size


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Keep this thread, and those that it starts, on the first `count` of its cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def decoding_seconds(files: Sequence[bytes]) -> float:
    """How long it takes one thread to decode JPEG files at their full size."""
    began = perf_counter()
    for data in files:
        simplejpeg.decode_jpeg(data)
    return perf_counter() - began


def bare_seconds(files: Sequence[bytes], size: int, crop: Crop) -> float:
    """How long decoding and resizing take, with a thread for each core.

    The JPEG's scale and the resizing are those of `skincli.imaging`, so that the work is the same.
    """
    array: Pixels = np.zeros((len(files), size, size, 3), dtype=np.uint8)

    def fill(start: int) -> None:
        for row in range(start, min(start + CHUNK, len(files))):
            decode_into(array[row], files[row], size, crop)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        began = perf_counter()
        list(pool.map(fill, range(0, len(files), CHUNK)))
        return perf_counter() - began


def decode_into(target: Pixels, data: bytes, size: int, crop: Crop) -> None:
    """A JPEG into a black square, uint8 `[size, size, 3]`."""
    height, width, *_ = simplejpeg.decode_jpeg_header(data)
    # Decoded pixels that lived on here would have the resizing ask the kernel for fresh memory, at
    # the price of a third of all.
    frame = Image.fromarray(simplejpeg.decode_jpeg(data, **least_size(width, height, size)))
    at = place(*frame.size, size, crop)
    resized = frame.resize((at.width, at.height), Image.Resampling.BICUBIC, at.box)
    target[at.top : at.top + at.height, at.left : at.left + at.width] = np.asarray(resized)

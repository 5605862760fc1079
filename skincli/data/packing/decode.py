"""Decoding images into a memory-mapped array: in threads, a chunk each, and resumable."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from skincli.config.data import Crop
from skincli.data.packing.packed import CHUNK, checksum
from skincli.data.reading.images import ImageStore
from skincli.errors import DataError, ImageError
from skincli.imaging import Limits, Pixels, read_input
from skincli.progress import Progress

IMAGES: Final = "images.npy"
CHUNKS: Final = "chunks.txt"


@dataclass(frozen=True, slots=True)
class Shot:
    """How images are to be decoded."""

    size: int
    crop: Crop
    limits: Limits


def decode_images(
    folder: Path, store: ImageStore, image_ids: Sequence[str], shot: Shot, progress: Progress
) -> None:
    """Decode into `folder/images.npy`, uint8 `[N, size, size, 3]`, in the order of `image_ids`.

    Threads write straight into the array (the decoders let go of the interpreter), so memory stays
    flat. The checksum of a finished chunk is appended to `folder/chunks.txt`; a second call goes on
    after the last one that holds. Raises DataError naming an image that cannot be read.
    """
    array = _open_array(folder / IMAGES, (len(image_ids), shot.size, shot.size, 3))
    done = _finished_chunks(folder / CHUNKS, array)
    todo = range(len(done), -(-len(image_ids) // CHUNK))

    def decode_chunk(chunk: int) -> int:
        for row in range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(image_ids))):
            array[row] = _decode(store, image_ids[row], shot)
        return checksum(array, chunk)

    with (
        progress.step("Decoding images", len(image_ids)) as step,
        (folder / CHUNKS).open("w", encoding="ascii") as lines,
        ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool,
    ):
        lines.writelines(f"{value:08x}\n" for value in done)
        step.advance(min(len(done) * CHUNK, len(image_ids)))
        try:
            for chunk, value in zip(todo, pool.map(decode_chunk, todo), strict=True):
                lines.write(f"{value:08x}\n")
                lines.flush()
                step.advance(min(CHUNK, len(image_ids) - chunk * CHUNK))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def read_checksums(folder: Path) -> list[int]:
    """The checksums of the chunks in order. Raises OSError or ValueError."""
    return [int(line, 16) for line in (folder / CHUNKS).read_text(encoding="ascii").split()]


def _decode(store: ImageStore, image_id: str, shot: Shot) -> Pixels:
    try:
        return read_input(store.read(image_id), shot.size, shot.crop, shot.limits)
    except ImageError as error:
        raise DataError(
            f"`{image_id}` has changed while it was read: {error.message}", "run it again"
        ) from None


def _open_array(path: Path, shape: tuple[int, ...]) -> Pixels:
    """The array of an interrupted call, or a new one whose blocks are claimed on the disk.

    Writing to a memory map on a full disk would kill the process.
    """
    if path.is_file():
        found: Pixels = np.load(path, mmap_mode="r+", allow_pickle=False)
        if found.shape == shape and found.dtype == np.uint8:
            return found.view(np.ndarray)
    array: Pixels = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    with path.open("r+b") as stream:
        os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
    return array.view(np.ndarray)


def _finished_chunks(path: Path, array: Pixels) -> list[int]:
    """The checksums of the leading chunks that were finished before and are still whole."""
    if not path.is_file():
        return []
    done: list[int] = []
    lines = path.read_text(encoding="ascii").splitlines(keepends=True)
    whole = [line.strip() for line in lines if line.endswith("\n")]
    for chunk, line in enumerate(whole):
        value = checksum(array, chunk)
        if f"{value:08x}" != line:
            break
        done.append(value)
    return done

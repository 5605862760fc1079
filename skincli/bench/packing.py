"""Packing and reading a pack, with a clock beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final, Self, TypeVar

import numpy as np

from skincli.bench.bare import bare_seconds, decoding_seconds
from skincli.bench.memory import watched_memory
from skincli.bench.records import BatchReading, Growth
from skincli.data.packing.decode import IMAGES, Shot, decode_images, read_checksums
from skincli.data.packing.packed import PackedImages
from skincli.data.reading.images import ImageStore
from skincli.progress import Silent

_Item = TypeVar("_Item")

_BATCH: Final = 256
_BATCHES_IN_PACK: Final = 4
_READS: Final = 20


@dataclass(frozen=True, slots=True)
class Subject:
    """The images that are measured, in memory for the bare loop and in a folder for packing."""

    folder: Path
    files: Sequence[bytes]
    store: ImageStore
    shot: Shot

    @classmethod
    def lay_out(cls, folder: Path, files: Sequence[bytes], shot: Shot) -> Self:
        raw = folder / "raw"
        raw.mkdir()
        for number, data in enumerate(files):
            (raw / f"{number:06d}.jpg").write_bytes(data)
        return cls(folder, files, ImageStore.of_folder(raw), shot)

    def decoding_seconds(self) -> float:
        return decoding_seconds(self.files)

    def bare_seconds(self, count: int) -> float:
        return bare_seconds(_repeated(self.files, count), self.shot.size, self.shot.crop)

    def packing_seconds(self, count: int) -> float:
        with TemporaryDirectory(dir=self.folder) as target:
            return self._pack(Path(target), count)

    def growth(self, factor: int) -> Growth:
        count = factor * len(self.files)
        with watched_memory() as peak:
            seconds = self.packing_seconds(count)
        return Growth(factor, count, seconds, count / seconds, peak.bytes / 1e6)

    def reading(self) -> BatchReading:
        """Batches from a pack that was verified and lies in the page cache."""
        with TemporaryDirectory(dir=self.folder) as name:
            target = Path(name)
            self._pack(target, _BATCHES_IN_PACK * _BATCH)
            packed = PackedImages(target / IMAGES, read_checksums(target))
            for _ in packed.verify_all():
                pass
            return _time_batches(packed)

    def _pack(self, target: Path, count: int) -> float:
        names = _repeated(sorted(self.store.ids), count)
        began = perf_counter()
        decode_images(target, self.store, names, self.shot, Silent())
        return perf_counter() - began


def _time_batches(packed: PackedImages) -> BatchReading:
    rng = np.random.default_rng(0)
    pack_seconds, copy_seconds, size = [], [], 0
    for _ in range(_READS):
        rows = rng.permutation(len(packed))[:_BATCH]
        began = perf_counter()
        batch = packed[rows]
        between = perf_counter()
        batch.copy()
        copy_seconds.append(perf_counter() - between)
        pack_seconds.append(between - began)
        size = batch.nbytes
    best = min(pack_seconds), min(copy_seconds)
    return BatchReading(_BATCH, size / 1e6, best[0] * 1e3, best[1] * 1e3, best[1] / best[0])


def _repeated(items: Sequence[_Item], count: int) -> list[_Item]:
    return list(islice(cycle(items), count))

"""The images of one part with their labels, whole or one rank's share of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skincli.data.packing.packed import PackedImages
from skincli.training.input.cache import DeviceCache
from skincli.training.input.sources import Source, open_source


@dataclass(frozen=True)
class LabelledImages:
    """Images `rows [N]` of a pack and their `labels [N]`.

    Nothing is read before the first batch is asked for. By then a rank has its own GPU, and the
    network has taken its memory there.
    """

    packed: PackedImages
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    cache: DeviceCache

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def size(self) -> int:
        """Side of the images in pixels."""
        return self.packed.shape[1]

    @cached_property
    def source(self) -> Source:
        return open_source(self.packed, self.rows, self.cache)

    def shard(self, rank: int, world: int) -> "LabelledImages":
        """The images rank, rank + world, rank + 2 world, ... of these."""
        mine = slice(rank, None, world)
        return LabelledImages(self.packed, self.rows[mine], self.labels[mine], self.cache)

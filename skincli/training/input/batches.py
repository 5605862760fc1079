"""Batches on the device: augmented ones to learn from, plain ones to be measured on."""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
import torch

from skincli.config.training import AugmentConfig
from skincli.training.input.augmentation import Augmentation, as_floats, augment, draw
from skincli.training.input.dice import Dice, permutation
from skincli.training.input.labelled import LabelledImages
from skincli.training.input.mixing import soft_targets

# Images float32 `[B, 3, S, S]` in [0, 1], and soft targets `[B, C]` or labels `[B]`.
Batch = tuple[torch.Tensor, torch.Tensor]

_LAYOUTS: Final = {True: torch.channels_last, False: torch.contiguous_format}


class TrainBatches:
    """One shuffled, augmented pass an epoch, with soft targets `[B, n_classes]`.

    Of `world` ranks each keeps and shuffles only its own share of the images, every `world`-th,
    and takes its equal part of each global batch: no image comes twice in an epoch, and the last,
    smaller batch is left out, because batch norm needs company. What happens to an image is a
    function of (seed, epoch, its place among all images), whatever the rank.

    Set `epoch` before iterating. The state that Lightning saves and loads goes on in the middle of
    an epoch.
    """

    def __init__(
        self,
        images: LabelledImages,
        augmentation: AugmentConfig,
        n_classes: int,
        batch_size: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
        channels_last: bool = True,
    ) -> None:
        """`batch_size` is that of all ranks together, a multiple of `world`."""
        self.images = images.shard(rank, world)
        self.augmentation = augmentation
        self.n_classes = n_classes
        self.seed, self.rank, self.world = seed, rank, world
        self._per_rank = len(images) // world
        self._size = min(batch_size // world, self._per_rank)
        self._layout = _LAYOUTS[channels_last]
        self._epoch = self._done = self._start = 0

    @property
    def epoch(self) -> int:
        return self._epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        if epoch != self._epoch:
            self.load_state_dict({"epoch": epoch, "done": 0})

    def state_dict(self) -> dict[str, int]:
        """The epoch, and how many of its batches were handed out."""
        return {"epoch": self._epoch, "done": self._done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """The next pass goes on where that state was; the passes after it are whole."""
        self._epoch = state["epoch"]
        self._done = self._start = state["done"]

    @property
    def images_per_step(self) -> int:
        """Of all ranks together."""
        return self._size * self.world

    def __len__(self) -> int:
        """Batches of a whole epoch, the same on every rank."""
        return self._per_rank // self._size

    def __iter__(self) -> Iterator[Batch]:
        self._done, self._start = self._start, 0
        order = permutation(len(self.images), self.seed, self._epoch, self.rank)
        order = order[self._done * self._size : len(self) * self._size]
        augmentation, targets = self._drawn(order)
        for batch, pixels in enumerate(self.images.source.batches(order, self._size)):
            rows = slice(batch * self._size, (batch + 1) * self._size)
            self._done += 1
            yield augment(pixels, augmentation.of(rows), self._layout), targets[rows]

    def _drawn(self, order: np.ndarray) -> tuple[Augmentation, torch.Tensor]:
        """All that the epoch needs beside pixels, moved to the device at once: steps never wait."""
        device, places = self.images.cache.device, self.rank + self.world * order
        dice = Dice(self.seed, self._epoch, places)
        augmentation = draw(self.augmentation, self._size, self.images.size, dice)
        labels = torch.from_numpy(self.images.labels[order])
        targets = soft_targets(labels, self.n_classes, self._size, augmentation.mixing)
        return augmentation.to(device), targets.to(device)


class PlainBatches:
    """Every image once over all ranks, in order and as it is, with labels `[B]`."""

    def __init__(
        self,
        images: LabelledImages,
        batch_size: int,
        rank: int = 0,
        world: int = 1,
        channels_last: bool = True,
    ) -> None:
        """`batch_size` is that of one rank."""
        self.images = images.shard(rank, world)
        self.batch_size = batch_size
        self._layout = _LAYOUTS[channels_last]

    def __len__(self) -> int:
        return math.ceil(len(self.images) / self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        order = np.arange(len(self.images))
        labels = torch.from_numpy(self.images.labels).to(self.images.cache.device)
        batches = self.images.source.batches(order, self.batch_size)
        for pixels, found in zip(batches, torch.split(labels, self.batch_size), strict=True):
            yield as_floats(pixels).contiguous(memory_format=self._layout), found

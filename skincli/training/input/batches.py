"""Batches from a packed array that lives on the device: gather, augment, done."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from skincli.config.training import AugmentConfig
from skincli.imaging import Pixels
from skincli.models.module import Batch
from skincli.training.input.augmentation import augment, draw


class DeviceImages:
    """The images of one part, moved to the device once: uint8 `[N, S, S, 3]` and labels `[N]`."""

    def __init__(
        self,
        images: Pixels,
        labels: NDArray[np.int64],
        device: torch.device,
    ) -> None:
        self.device = device
        self.images = torch.from_numpy(images).to(device)
        self.labels = torch.from_numpy(labels).to(device)

    def __len__(self) -> int:
        return len(self.labels)

    def gather(self, rows: torch.Tensor) -> Batch:
        """Float images `[B, 3, S, S]` in [0, 1], channels last in memory, and labels `[B]`."""
        return self.images[rows].permute(0, 3, 1, 2).float().div_(255), self.labels[rows]


class TrainBatches:
    """One shuffled, augmented pass per epoch. Set `epoch` before iterating."""

    def __init__(
        self, source: DeviceImages, augmentation: AugmentConfig, batch_size: int, seed: int
    ) -> None:
        self.source = source
        self.augmentation = augmentation
        self.batch_size = min(batch_size, len(source))
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        """The last, smaller batch is left out: batch norm needs company."""
        return len(self.source) // self.batch_size

    def __iter__(self) -> Iterator[Batch]:
        n, device = len(self.source), self.source.device
        order = np.random.default_rng([self.seed, self.epoch, 0]).permutation(n)
        draws = draw(self.augmentation, n, self.seed, self.epoch)
        for index in range(len(self)):
            rows = torch.from_numpy(order[index * self.batch_size : (index + 1) * self.batch_size])
            images, labels = self.source.gather(rows.to(device))
            yield augment(images, draws.of(rows).to(device)), labels


class PlainBatches:
    """Every image once, in order, as it is: for validation."""

    def __init__(self, source: DeviceImages, batch_size: int) -> None:
        self.source = source
        self.batch_size = batch_size

    def __len__(self) -> int:
        return math.ceil(len(self.source) / self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        rows = torch.arange(len(self.source), device=self.source.device)
        for index in range(len(self)):
            yield self.source.gather(rows[index * self.batch_size : (index + 1) * self.batch_size])

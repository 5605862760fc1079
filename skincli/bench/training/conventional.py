"""The conventional pipeline: files decoded by Pillow in the workers of a DataLoader."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, RandomSampler
from torchvision import transforms
from torchvision.datasets import ImageFolder

from skincli.bench.training.step import BareStep
from skincli.config.schema import Config
from skincli.models.network import MEAN, STD

Loader = DataLoader[Any]


def conventional_loader(config: Config, jpegs: Path, steps: int, device: torch.device) -> Loader:
    """An epoch of `steps` batches: float32 images `[B, 3, S, S]` and labels `[B]`, on the host.

    As in torchvision's tutorials and references, with a worker for each core.
    """
    augment, size = config.augment, config.data.image_size
    transform = transforms.Compose(
        [
            transforms.RandomHorizontalFlip(augment.horizontal_flip),
            transforms.RandomVerticalFlip(augment.vertical_flip),
            transforms.Resize((size, size)),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )
    images = ImageFolder(str(jpegs), transform)
    n_images = steps * config.data.batch_size
    return DataLoader(
        images,
        config.data.batch_size,
        sampler=RandomSampler(images, replacement=True, num_samples=n_images),
        num_workers=len(os.sched_getaffinity(0)),
        pin_memory=device.type == "cuda",
        persistent_workers=True,
        worker_init_fn=_leave_signals,
    )


@contextmanager
def ending_workers(loader: Loader) -> Iterator[None]:
    """End the loader's workers: those that Python finds at its own end it kills, and torch
    complains of a killed worker."""
    try:
        yield
    finally:
        loader._iterator = None  # whose end is theirs


def _leave_signals(_worker: int) -> None:
    """The parent, whose handlers a fork inherits, gets them too and ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def learn_from(loader: Loader, step: BareStep, layout: torch.memory_format, steps: int) -> None:
    """The first `steps` batches of an epoch."""
    for images, labels in islice(loader, steps):
        moved = images.to(step.device, non_blocking=True, memory_format=layout)
        step((moved, labels.to(step.device, non_blocking=True)))

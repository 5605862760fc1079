"""Which training images stand for their class, and what the first epochs make of them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from skincli.config.schema import Config
from skincli.data import PreparedSet
from skincli.taxonomy import classes_of
from skincli.training.input.augmentation import augment, draw
from skincli.training.input.dice import Dice
from skincli.training.pictures.samples import Pixels

_DRAWS: Final = 7
_ROWS: Final = 14  # two a diagnosis: more than fits a laptop's screen is not looked at


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Images `plain [K, S, S, 3]`, one array like it for each epoch, and their classes' codes."""

    plain: Pixels
    augmented: tuple[Pixels, ...]
    labels: tuple[str, ...]


def see_samples(config: Config, prepared: PreparedSet) -> Seen:
    """Some images of each class as stored, and as the first epochs change them.

    These are the very draws of training but for mixup and cutmix, whose partners are here the
    other images shown.
    """
    classes = classes_of(config.task)
    rows = prepared.rows("train")
    labels = prepared.labels(config.task)[rows]
    of_class = [
        _spread(np.flatnonzero(labels == index), max(1, _ROWS // len(classes)))
        for index in range(len(classes))
    ]
    places = np.concatenate(of_class)
    plain = np.asarray(prepared.images[rows[places]])
    epochs = tuple(_augmented(config, plain, places, epoch) for epoch in range(_DRAWS))
    return Seen(plain, epochs, tuple(classes[label].code for label in labels[places]))


def _spread(places: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """At most `count` of them, evenly spaced: neighbours often show the same lesion."""
    count = min(count, len(places))
    return places[(np.arange(count) * len(places)) // max(1, count)]


def _augmented(config: Config, plain: Pixels, places: NDArray[np.intp], epoch: int) -> Pixels:
    dice = Dice(config.seed, epoch, places.astype(np.int64))
    drawn = draw(config.augment, len(plain), plain.shape[1], dice)
    images = augment(torch.from_numpy(plain), drawn, torch.channels_last)
    pixels = images.permute(0, 2, 3, 1).mul(255).round().clamp(0, 255).to(torch.uint8)
    return pixels.contiguous().numpy()

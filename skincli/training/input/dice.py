"""Random numbers that are functions of (seed, epoch, what they are for, image) and nothing else.

A resumed run, and the other ranks of a distributed one, draw what an uninterrupted single run
would have drawn, without sharing or saving a stream.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]


class Purpose(IntEnum):
    """A stream of its own for each, so that switching one thing off leaves the others as drawn."""

    ORDER = 0
    GEOMETRY = 1
    COLOUR = 2
    ERASING = 3
    MIXING = 4


@dataclass(frozen=True, slots=True)
class Dice:
    """The draws of one epoch for `images`: places `[n]` in the whole training part."""

    seed: int
    epoch: int
    images: NDArray[np.int64]

    def uniform(self, purpose: Purpose, columns: int) -> Reals:
        """`[n, columns]` in [0, 1). Row i belongs to `images[i]`, whatever the other rows are."""
        generator = np.random.default_rng([self.seed, self.epoch, purpose])
        return generator.random((int(self.images.max(initial=-1)) + 1, columns))[self.images]


def permutation(n: int, seed: int, epoch: int, rank: int) -> NDArray[np.int64]:
    """The order in which a rank sees its `n` images in one epoch."""
    order = np.random.default_rng([seed, epoch, Purpose.ORDER, rank]).permutation(n)
    return order.astype(np.int64, copy=False)

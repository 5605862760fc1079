"""Whether an image is like those that a model learnt from: its features, and its sharpness.

Features of a network say little of blur, which a plain filter sees at once; so there are two
measures, and an image is out of distribution by either.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from skincli.bundle import OutOfDistribution
from skincli.imaging import Pixels

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A Gaussian over features of training images: `mean [D]` and `whitening [D, D]`, float32."""

    mean: Floats
    whitening: Floats

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path, allow_pickle=False) as arrays:
            return cls(arrays["mean"], arrays["whitening"])

    def save(self, path: Path) -> None:
        np.savez(path, mean=self.mean, whitening=self.whitening)

    def distance(self, features: Floats) -> Floats:
        """The Mahalanobis distance `[N]` of `features [N, D]`, over the root of D.

        About 1 for images like those of the training. Lee et al. 2018 (arXiv:1807.03888), with one
        Gaussian for all classes, which found as much as one for each.
        """
        whitened = (features - self.mean) @ self.whitening
        result: Floats = np.sqrt(np.mean(whitened**2, axis=1, dtype=np.float32))
        return result


def sharpness(images: Pixels) -> Floats:
    """The root mean square `[N]` of the Laplacian of the grey levels of `images [N, S, S, 3]`."""
    grey = images.mean(axis=3, dtype=np.float32)
    around = grey[:, 2:, 1:-1] + grey[:, :-2, 1:-1] + grey[:, 1:-1, 2:] + grey[:, 1:-1, :-2]
    result: Floats = np.sqrt(np.mean((around - 4 * grey[:, 1:-1, 1:-1]) ** 2, axis=(1, 2)))
    return result


def novelty(
    reference: Reference, limits: OutOfDistribution, features: Floats, images: Pixels
) -> tuple[Floats, Floats]:
    """How far `[N]` and how dull `[N]` images are, each as a multiple of its limit."""
    far: Floats = (reference.distance(features) / limits.largest_distance).astype(np.float32)
    sharp = np.maximum(sharpness(images), np.float32(1e-6))
    dull: Floats = (limits.least_sharpness / sharp).astype(np.float32)
    return far, dull

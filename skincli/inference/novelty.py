"""Whether an image is like those that a model learnt from: to the network, and to the eye.

Features of a network are blind to what it never had to tell apart, blur among it; a few statistics
of colour and texture see that, and nothing of what is shown. So there are two distances, and an
image is out of distribution by either (docs/results.md has what each of them found).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from skincli.bundle import OutOfDistribution
from skincli.imaging import Pixels

Floats = NDArray[np.float32]

# Cells along a side of an image, at the least. What is finer hangs on the camera and the file: it
# told a lesion at its full size from the same lesion at a third of it.
_CELLS: Final = 48
_SCALES: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Gaussian:
    """A Gaussian over vectors of training images: `mean [D]` and `whitening [D, D]`, float32."""

    mean: Floats
    whitening: Floats

    def distance(self, vectors: Floats) -> Floats:
        """The Mahalanobis distance `[N]` of `vectors [N, D]`, over the root of D.

        About 1 for images like those of the training. Lee et al. 2018 (arXiv:1807.03888), with one
        Gaussian for all classes, which found as much as one for each.
        """
        whitened = (vectors - self.mean) @ self.whitening
        result: Floats = np.sqrt(np.mean(whitened**2, axis=1, dtype=np.float32))
        return result


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What training images look like, to the network and to the eye."""

    features: Gaussian
    texture: Gaussian

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path, allow_pickle=False) as arrays:
            features, texture = (
                Gaussian(arrays[f"{name}_mean"], arrays[f"{name}_whitening"])
                for name in ("features", "texture")
            )
        return cls(features, texture)

    def save(self, path: Path) -> None:
        np.savez(
            path,
            features_mean=self.features.mean,
            features_whitening=self.features.whitening,
            texture_mean=self.texture.mean,
            texture_whitening=self.texture.whitening,
        )

    def novelty(self, limits: OutOfDistribution, features: Floats, seen: Floats) -> Floats:
        """The larger distance `[N]`, each as a multiple of its limit, of `features [N, D]` and of
        `seen [N, T]`, which are the images' `texture`."""
        far = self.features.distance(features) / np.float32(limits.largest_feature_distance)
        strange = self.texture.distance(seen) / np.float32(limits.largest_texture_distance)
        result: Floats = np.maximum(far, strange)
        return result


def texture(images: Pixels) -> Floats:
    """Statistics `[N, T]` of colour and texture of uint8 images `[N, S, S, 3]`.

    Of grey, red less green and blue less green, between 0 and 1, over coarse cells: mean and
    deviation; the logarithm of the root mean square of the Laplacian at three scales; how much the
    middle, the top and the left are brighter than the rest.
    """
    factor = max(1, images.shape[1] // _CELLS)
    planes = _opponents(_shrunk(images.transpose(0, 3, 1, 2), factor) / np.float32(255))
    mean = planes.mean(axis=(2, 3))
    quarter = planes.shape[2] // 4
    found = [mean, planes.std(axis=(2, 3)), *_edges(planes)]
    found.append(planes[..., quarter:-quarter, quarter:-quarter].mean(axis=(2, 3)) - mean)
    found.extend(
        (side[..., :quarter, :].mean(axis=(2, 3)) - side[..., -quarter:, :].mean(axis=(2, 3)))
        for side in (planes, planes.swapaxes(2, 3))
    )
    result: Floats = np.concatenate(found, axis=1)
    return result


def sharpness(seen: Floats) -> Floats:
    """How sharp images are `[N]`, of their `texture [N, T]`: the finest Laplacian of grey."""
    return seen[:, _FINEST_OF_GREY]


_FINEST_OF_GREY: Final = 6  # after the mean and the deviation of three channels


def _opponents(colours: Floats) -> Floats:
    red, green, blue = (colours[:, channel] for channel in range(3))
    return np.stack([(red + green + blue) / 3, red - green, blue - green], axis=1)


def _edges(planes: Floats) -> list[Floats]:
    found = []
    for _ in range(_SCALES):
        if planes.shape[2] < 3:
            break
        edges = planes[..., 2:, 1:-1] + planes[..., :-2, 1:-1]
        edges += planes[..., 1:-1, 2:]
        edges += planes[..., 1:-1, :-2]
        edges -= 4 * planes[..., 1:-1, 1:-1]
        strength = np.sqrt(np.mean(np.square(edges, out=edges), axis=(2, 3)))
        found.append(np.log(strength + np.float32(1e-4)))
        planes = _shrunk(planes, 2)
    return found


def _shrunk(planes: NDArray[Any], factor: int) -> Floats:
    """Means of `factor` by `factor` pixels of `planes [N, C, S, S]`; what is left over at the right
    and below is cut."""
    side = planes.shape[2] // factor * factor
    total = np.zeros((*planes.shape[:2], side // factor, side // factor), dtype=np.float32)
    for row in range(factor):
        for column in range(factor):  # of a slice each, which is far faster than a mean of blocks
            total += planes[..., row:side:factor, column:side:factor]
    total /= factor**2
    return total

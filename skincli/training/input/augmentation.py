"""Per-image augmentation as two small matrices an image: one for geometry, one for colour.

All draws are functions of (seed, epoch, row), so that a resumed run sees what an uninterrupted
one would have seen.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from skincli.config.training import AugmentConfig

Floats = NDArray[np.float32]

_LUMA = np.array([0.299, 0.587, 0.114])
_RGB_TO_YIQ = np.array([_LUMA, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_YIQ_TO_RGB = np.linalg.inv(_RGB_TO_YIQ)


@dataclass(frozen=True, slots=True)
class Draws:
    """For N images: `geometry [N, 2, 3]` (affine, output to input) and `colour [N, 3, 4]`."""

    geometry: torch.Tensor
    colour: torch.Tensor

    def of(self, rows: torch.Tensor) -> "Draws":
        return Draws(self.geometry[rows], self.colour[rows])

    def to(self, device: torch.device) -> "Draws":
        return Draws(self.geometry.to(device), self.colour.to(device))


def draw(config: AugmentConfig, n: int, seed: int, epoch: int) -> Draws:
    """The augmentation of every one of `n` rows in one epoch."""
    uniform = np.random.default_rng([seed, epoch, 1]).random((n, 8))
    signed = 2 * uniform - 1
    angle = np.deg2rad(config.rotation) * signed[:, 0]
    zoom = 1 + config.scale * signed[:, 1]
    flip_x = np.where(uniform[:, 2] < config.horizontal_flip, -1.0, 1.0)
    flip_y = np.where(uniform[:, 3] < config.vertical_flip, -1.0, 1.0)
    geometry = _affine(angle, zoom, flip_x, flip_y)
    brightness = 1 + config.brightness * signed[:, 4]
    contrast = 1 + config.contrast * signed[:, 5]
    saturation = 1 + config.saturation * signed[:, 6]
    colour = _colour(brightness, contrast, saturation, 2 * np.pi * config.hue * signed[:, 7])
    return Draws(torch.from_numpy(geometry), torch.from_numpy(colour))


def augment(images: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Float images `[B, 3, S, S]` in [0, 1], augmented image by image; same shape and range."""
    grid = torch.nn.functional.affine_grid(draws.geometry, list(images.shape), align_corners=False)
    moved = torch.nn.functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    matrix, offset = draws.colour[:, :, :3], draws.colour[:, :, 3:]
    coloured = torch.baddbmm(offset, matrix, moved.flatten(2))
    return coloured.clamp_(0, 1).view_as(moved)


def _affine(
    angle: NDArray[np.float64],
    zoom: NDArray[np.float64],
    flip_x: NDArray[np.float64],
    flip_y: NDArray[np.float64],
) -> Floats:
    cos, sin, zero = np.cos(angle) / zoom, np.sin(angle) / zoom, np.zeros_like(angle)
    rows = [[flip_x * cos, -flip_x * sin, zero], [flip_y * sin, flip_y * cos, zero]]
    return np.moveaxis(np.array(rows, dtype=np.float32), -1, 0).copy()


def _colour(
    brightness: NDArray[np.float64],
    contrast: NDArray[np.float64],
    saturation: NDArray[np.float64],
    hue: NDArray[np.float64],
) -> Floats:
    """Hue as a rotation of the chroma plane of YIQ, saturation towards luma, contrast about 0.5."""
    cos, sin = np.cos(hue), np.sin(hue)
    turn = np.zeros((len(hue), 3, 3))
    turn[:, 0, 0] = 1
    turn[:, 1, 1], turn[:, 1, 2] = cos, -sin
    turn[:, 2, 1], turn[:, 2, 2] = sin, cos
    grey = np.broadcast_to(_LUMA, (3, 3))
    saturate = saturation[:, None, None] * np.eye(3) + (1 - saturation)[:, None, None] * grey
    matrix = (brightness * contrast)[:, None, None] * (saturate @ _YIQ_TO_RGB @ turn @ _RGB_TO_YIQ)
    offset = np.broadcast_to((brightness * (1 - contrast) * 0.5)[:, None, None], (len(hue), 3, 1))
    return np.concatenate([matrix, offset], axis=2).astype(np.float32)

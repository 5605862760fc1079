"""Flips, rotation, size, aspect and shift: one affine map and one resampling an image."""

import numpy as np
import torch
from numpy.typing import NDArray

from skincli.config.training import AugmentConfig
from skincli.training.input.dice import Dice, Purpose


def resamples(config: AugmentConfig) -> bool:
    """Whether pixels fall between pixels; flips alone are exact."""
    return any((config.rotation, config.scale, config.aspect, config.shift))


def flips(config: AugmentConfig) -> bool:
    return any((config.horizontal_flip, config.vertical_flip))


def draw_flips(config: AugmentConfig, dice: Dice) -> torch.Tensor:
    """1 where an image is flipped, `[n, 2]`: left-right, upside-down."""
    return torch.from_numpy(_flipped(config, dice.uniform(Purpose.GEOMETRY, 8)).astype(np.float32))


def flip(images: torch.Tensor, flipped: torch.Tensor) -> torch.Tensor:
    """Images `[B, 3, S, S]`, each as it is or flipped."""
    # A blend by 0 or 1 is exact, and on a CPU several times faster than `where`.
    weights = flipped[:, :, None, None, None]
    images = torch.lerp(images, images.flip(3), weights[:, 0])
    return torch.lerp(images, images.flip(2), weights[:, 1])


def draw_affine(config: AugmentConfig, dice: Dice) -> torch.Tensor:
    """Maps `[n, 2, 3]` from places in the new image to places in the old, both in [-1, 1]."""
    uniform = dice.uniform(Purpose.GEOMETRY, 8)
    signed = 2 * uniform - 1
    angle = np.deg2rad(config.rotation) * signed[:, 2]
    zoom, ratio = 1 + config.scale * signed[:, 3], 1 + config.aspect * signed[:, 4]
    sign = np.where(_flipped(config, uniform), -1.0, 1.0)
    cos, sin = np.cos(angle) / zoom, np.sin(angle) / zoom
    wide, high = sign[:, 0] / np.sqrt(ratio), sign[:, 1] * np.sqrt(ratio)
    across, down = 2 * config.shift * signed[:, 5], 2 * config.shift * signed[:, 6]
    rows = [[wide * cos, -wide * sin, across], [high * sin, high * cos, down]]
    return torch.from_numpy(np.moveaxis(np.array(rows, dtype=np.float32), -1, 0).copy())


def resample(images: torch.Tensor, affine: torch.Tensor) -> torch.Tensor:
    """Images `[B, 3, S, S]`, bilinear, mirrored beyond the edges."""
    places = (torch.arange(images.shape[3], device=images.device) * 2 + 1) / images.shape[3] - 1
    # One sum of a row and a column a pixel: `affine_grid` costs more than the sampling on a CPU.
    row = affine[:, :, :1] * places + affine[:, :, 2:]
    column = affine[:, :, 1:2] * places
    grid = (row[:, :, None] + column[..., None]).permute(0, 2, 3, 1)
    return torch.nn.functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )


def _flipped(config: AugmentConfig, uniform: NDArray[np.float64]) -> NDArray[np.bool_]:
    return uniform[:, :2] < (config.horizontal_flip, config.vertical_flip)

"""Brightness, contrast, saturation and hue: one 3 x 4 matrix an image."""

from typing import Final

import numpy as np
import torch

from skincli.config.training import AugmentConfig
from skincli.training.input.dice import Dice, Purpose, Reals

_LUMA: Final = np.array([0.299, 0.587, 0.114])
_RGB_TO_YIQ: Final = np.array([_LUMA, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_YIQ_TO_RGB: Final = np.linalg.inv(_RGB_TO_YIQ)


def recolours(config: AugmentConfig) -> bool:
    return any((config.brightness, config.contrast, config.saturation, config.hue))


def draw_colour(config: AugmentConfig, dice: Dice) -> torch.Tensor:
    """Matrices `[n, 3, 4]` from (red, green, blue, 1) to red, green, blue.

    Hue is a rotation of the chroma plane of YIQ, saturation goes towards luma, contrast is about
    0.5.
    """
    signed = 2 * dice.uniform(Purpose.COLOUR, 4) - 1
    brightness, contrast = 1 + config.brightness * signed[:, 0], 1 + config.contrast * signed[:, 1]
    saturation = (1 + config.saturation * signed[:, 2])[:, None, None]
    grey = np.broadcast_to(_LUMA, (3, 3))
    saturate = saturation * np.eye(3) + (1 - saturation) * grey
    turn = _YIQ_TO_RGB @ _turned(2 * np.pi * config.hue * signed[:, 3]) @ _RGB_TO_YIQ
    matrix = np.empty((len(signed), 3, 4), dtype=np.float32)
    matrix[:, :, :3] = (brightness * contrast)[:, None, None] * (saturate @ turn)
    matrix[:, :, 3] = (brightness * (1 - contrast) * 0.5)[:, None]
    return torch.from_numpy(matrix)


def recolour(images: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    """Images `[B, 3, S, S]` in [0, 1], cut off where a colour leaves that range."""
    matrix, offset = matrices[:, :, :3], matrices[:, :, 3:]
    return torch.baddbmm(offset, matrix, images.flatten(2)).clamp_(0, 1).view(images.shape)


def _turned(angle: Reals) -> Reals:
    """Rotations `[n, 3, 3]` of the plane of the second and third axis."""
    turn = np.zeros((len(angle), 3, 3))
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = np.cos(angle)
    turn[:, 2, 1] = np.sin(angle)
    turn[:, 1, 2] = -turn[:, 2, 1]
    return turn

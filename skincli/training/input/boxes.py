"""Rectangles: drawn as corners, used as masks; and random erasing, which blots one out."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from skincli.config.training import AugmentConfig
from skincli.training.input.dice import Dice, Purpose

# Zhong et al. (arXiv:1708.04896): share of the area, and height over width.
_AREA: Final = (0.02, 0.4)
_RATIO: Final = (0.3, 1 / 0.3)


def inside(boxes: torch.Tensor, size: int) -> torch.Tensor:
    """1 inside each box, else 0: `[B, 1, size, size]`. Boxes `[B, 4]`: left, top, right, bottom."""
    places = torch.arange(size, device=boxes.device)
    left, top, right, bottom = boxes[:, :, None].unbind(1)
    across = ((places >= left) & (places < right)).to(torch.float32)
    down = ((places >= top) & (places < bottom)).to(torch.float32)
    return (down[:, :, None] * across[:, None])[:, None]


def draw_erasing(config: AugmentConfig, size: int, dice: Dice) -> torch.Tensor:
    """The box `[n, 4]` that is blotted out of each image, in pixels; an empty one for most."""
    chosen, area, ratio, x, y = dice.uniform(Purpose.ERASING, 5).T
    area = _AREA[0] + (_AREA[1] - _AREA[0]) * area
    ratio = np.exp(np.log(_RATIO[0]) + np.log(_RATIO[1] / _RATIO[0]) * ratio)
    sides = np.stack([np.sqrt(area / ratio), np.sqrt(area * ratio)], axis=1)
    sides = np.rint(size * sides).clip(1, size) * (chosen < config.erasing)[:, None]
    corner = np.floor(np.stack([x, y], axis=1) * (size - sides + 1))
    return corners(corner, corner + sides)


def erase(images: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """Images `[B, 3, S, S]` with the box of each filled with the image's mean colour."""
    # The mean needs no random numbers on the device; the paper found it as good as ImageNet's.
    mean = images.mean(dim=(2, 3), keepdim=True)
    return torch.lerp(images, mean, inside(boxes, images.shape[3]))


def corners(start: NDArray[np.float64], stop: NDArray[np.float64]) -> torch.Tensor:
    """Boxes `[n, 4]` from their upper left and lower right corners `[n, 2]`."""
    return torch.from_numpy(np.concatenate([start, stop], axis=1).astype(np.float32))

"""An upright image of any shape to the square that the network sees."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from skincli.config.data import Crop
from skincli.imaging.limits import Pixels


@dataclass(frozen=True, slots=True)
class Placement:
    """Which part of a frame goes where in the square, both in pixels.

    `box` is left, top, right and bottom in the frame; `left`, `top`, `width` and `height` lie in
    the square.
    """

    box: tuple[float, float, float, float]
    left: int
    top: int
    width: int
    height: int


def network_input(image: Image.Image, size: int, crop: Crop) -> Pixels:
    """An RGB image to the network's input: uint8 `[size, size, 3]`.

    `center` keeps the largest centred square, `whole` squeezes the full frame into the square,
    `letterbox` keeps the frame's shape and fills the rest with black. Bicubic, antialiased.
    """
    at = place(*image.size, size, crop)
    resized = image.resize((at.width, at.height), Image.Resampling.BICUBIC, at.box)
    pixels = np.asarray(resized, dtype=np.uint8)
    if pixels.shape[:2] == (size, size):
        return pixels
    square: Pixels = np.zeros((size, size, 3), dtype=np.uint8)
    square[at.top : at.top + at.height, at.left : at.left + at.width] = pixels
    return square


def place(width: int, height: int, size: int, crop: Crop) -> Placement:
    """Where a frame of `width` x `height` goes in a square of `size`.

    An odd row or column of a letterbox's padding goes below or to the right.
    """
    if crop == "center":
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        return Placement((left, top, left + side, top + side), 0, 0, size, size)
    frame = (0.0, 0.0, float(width), float(height))
    if crop == "whole":
        return Placement(frame, 0, 0, size, size)
    longest = max(width, height)
    across, down = (max(1, _rounded(size * side, longest)) for side in (width, height))
    return Placement(frame, (size - across) // 2, (size - down) // 2, across, down)


def _rounded(numerator: int, denominator: int) -> int:
    """The quotient to the nearest integer, halves upwards."""
    return (2 * numerator + denominator) // (2 * denominator)

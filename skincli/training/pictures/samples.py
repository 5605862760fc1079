"""Training images as the network sees them, beside what they look like unchanged."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from skincli.training.pictures.canvas import DPI

Pixels = NDArray[np.uint8]

# Pixels of the picture: of an image, between two, beside the plain ones, and around all.
_TILE: Final = 112
_GAP: Final = 4
_APART: Final = 12
_LEFT, _TOP, _EDGE = 100, 64, 10


def samples_figure(
    plain: Pixels, augmented: Sequence[Pixels], labels: Sequence[str], title: str
) -> Figure:
    """A row per image: first `plain [K, S, S, 3]`, then its augmented draws.

    `augmented` holds arrays of the same shape, one per draw; `labels [K]` name the rows.
    """
    lefts = [
        index * (_TILE + _GAP) + (_APART if index else 0) for index in range(len(augmented) + 1)
    ]
    tops = [index * (_TILE + _GAP) for index in range(len(plain))]
    sheet = _sheet([plain, *augmented], lefts, tops)
    high, wide = sheet.shape[:2]
    width, height = _LEFT + wide + _EDGE, _TOP + high + _EDGE
    figure = Figure(figsize=(width / DPI, height / DPI))
    figure.suptitle(title, fontsize=13, fontweight="bold", y=1 - 10 / height, va="top")
    axes = figure.add_axes((_LEFT / width, _EDGE / height, wide / width, high / height))
    axes.imshow(sheet, interpolation="nearest", aspect="auto")
    axes.set_yticks([top + _TILE / 2 for top in tops], labels, fontsize=11)
    middle = (lefts[1] + wide) / 2
    drawn = f"as the network sees them, epochs 1 to {len(augmented)}"
    axes.set_xticks([_TILE / 2, middle], ["as stored", drawn])
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    return figure


def _sheet(columns: Sequence[Pixels], lefts: Sequence[int], tops: Sequence[int]) -> Pixels:
    """All images side by side on white, at the size they are shown in."""
    sheet = np.full((tops[-1] + _TILE, lefts[-1] + _TILE, 3), 255, dtype=np.uint8)
    for left, images in zip(lefts, columns, strict=True):
        for top, image in zip(tops, images, strict=True):
            sheet[top : top + _TILE, left : left + _TILE] = _tile(image)
    return sheet


def _tile(image: Pixels) -> Pixels:
    """Small images keep their pixels, which is what the network gets; large ones are averaged."""
    kind = Image.Resampling.NEAREST if len(image) < _TILE else Image.Resampling.BOX
    return np.asarray(Image.fromarray(image).resize((_TILE, _TILE), kind))

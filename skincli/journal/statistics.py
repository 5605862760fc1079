"""What is kept in place of an image: enough to see drift, too little to see a person."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from skincli.imaging import Pixels


@dataclass(frozen=True, slots=True)
class ImageStatistics:
    """Of the luma of the network's input, in grey levels: mean, standard deviation, and the root
    mean square of the Laplacian; and 16 hex digits that nearly equal images nearly share."""

    brightness: float
    contrast: float
    sharpness: float
    perceptual_hash: str


def statistics_of(pixels: Pixels) -> ImageStatistics:
    """Of an image uint8 `[S, S, 3]`."""
    luma = Image.fromarray(pixels).convert("L")
    mean, deviation = _mean_and_deviation(luma.histogram())
    levels = np.asarray(luma).astype(np.int16)
    around = levels[2:, 1:-1] + levels[:-2, 1:-1] + levels[1:-1, 2:] + levels[1:-1, :-2]
    edges = (around - 4 * levels[1:-1, 1:-1]).ravel().astype(np.float32)
    return ImageStatistics(
        brightness=mean,
        contrast=deviation,
        sharpness=float(np.sqrt(edges @ edges / max(1, edges.size))),
        perceptual_hash=_difference_hash(luma),
    )


def _mean_and_deviation(histogram: list[int]) -> tuple[float, float]:
    """Of the levels that were counted, which is faster than of the pixels."""
    counts, levels = np.array(histogram), np.arange(len(histogram))
    mean = counts @ levels / counts.sum()
    return float(mean), float(np.sqrt(counts @ (levels - mean) ** 2 / counts.sum()))


def _difference_hash(luma: Image.Image) -> str:
    """Whether each of 8 x 8 cells is brighter than its right neighbour (Krawetz 2013, "Kind of Like
    That")."""
    levels = np.asarray(luma.resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    return bytes(np.packbits(levels[:, :-1] > levels[:, 1:])).hex()

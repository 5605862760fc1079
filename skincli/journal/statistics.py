"""What is kept in place of an image: enough to see drift, too little to see a person."""

import numpy as np
from PIL import Image

from skincli.imaging import Pixels


def brightness_and_contrast(pixels: Pixels) -> tuple[float, float]:
    """Mean and standard deviation of the grey levels of `pixels [S, S, 3]`."""
    grey = pixels.mean(axis=2, dtype=np.float32)
    return float(grey.mean()), float(grey.std())


def sharpness(pixels: Pixels) -> float:
    """The root mean square of the Laplacian of the grey levels of `pixels [S, S, 3]`."""
    grey = pixels.mean(axis=2, dtype=np.float32)
    around = grey[2:, 1:-1] + grey[:-2, 1:-1] + grey[1:-1, 2:] + grey[1:-1, :-2]
    return float(np.sqrt(np.mean((around - 4 * grey[1:-1, 1:-1]) ** 2)))


def difference_hash(pixels: Pixels) -> str:
    """16 hex digits that nearly equal images nearly share: whether each of 8 x 8 cells is brighter
    than its right neighbour (Krawetz 2013, "Kind of Like That")."""
    small = Image.fromarray(pixels).convert("L").resize((9, 8), Image.Resampling.BOX)
    levels = np.asarray(small, dtype=np.int16)
    return bytes(np.packbits(levels[:, :-1] > levels[:, 1:])).hex()

"""Where the network looked: a class activation map laid over the image."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skincli.imaging import Pixels

# Dark blue through red to yellow, read at equal steps of the activation.
_COLOURS = np.array(
    [(13, 8, 135), (126, 3, 168), (204, 71, 120), (248, 149, 64), (240, 249, 33)], dtype=np.float32
)


def overlay(image: Pixels, cam: NDArray[np.float32], strength: float = 0.5) -> Pixels:
    """Lay a class activation map `[h, w]` over an image uint8 `[H, W, 3]`; same shape returned.

    Only evidence for the class is drawn (negative activations are cut), scaled to its own
    maximum, as in Zhou et al. 2016 (arXiv:1512.04150).
    """
    height, width = image.shape[:2]
    positive = np.maximum(cam, 0)
    scaled = positive / max(float(positive.max()), 1e-6)
    enlarged = Image.fromarray(scaled.astype(np.float32)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    heat = np.clip(np.asarray(enlarged), 0, 1)
    position = heat * (len(_COLOURS) - 1)
    channels = [np.interp(position, range(len(_COLOURS)), _COLOURS[:, c]) for c in range(3)]
    weight = (strength * heat)[..., None]
    blended = image * (1 - weight) + np.stack(channels, axis=-1) * weight
    result: Pixels = blended.round().astype(np.uint8)
    return result

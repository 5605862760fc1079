"""Image bytes to a checked RGB image, and that to the network's uint8 input.

`data prepare`, `evaluate`, `predict` and `serve` all come through here, so that what a model is
trained on and what it is asked about cannot drift apart.
"""

import io
import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from skincli.config.data import Crop
from skincli.config.schema import ImageConfig
from skincli.errors import ImageError

Pixels = NDArray[np.uint8]

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
IMAGE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})

# Our own limit is far lower than Pillow's, and its remarks on odd metadata help no one. Set once
# for the process: `warnings.catch_warnings` is not safe in the threads that decode.
Image.MAX_IMAGE_PIXELS = None
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused before a pixel is decoded."""

    max_bytes: int
    max_pixels: int

    @classmethod
    def of(cls, config: ImageConfig) -> "Limits":
        return cls(int(config.max_megabytes * 1e6), int(config.max_megapixels * 1e6))


def decode(data: bytes, limits: Limits, at_least: int | None = None) -> Image.Image:
    """Image bytes to an upright RGB image.

    `at_least` is the side in pixels that the caller will resize to: a JPEG may then be decoded at
    1/2, 1/4 or 1/8 of its size, never below twice that side. Raises ImageError.
    """
    if not data:
        raise ImageError("the file is empty", "empty")
    if len(data) > limits.max_bytes:
        raise ImageError(
            f"the file has {len(data):,} bytes, more than the {limits.max_bytes:,} allowed",
            "too_many_bytes",
        )
    image = _open(data)
    width, height = image.size
    if width * height > limits.max_pixels:
        raise ImageError(
            f"the image is {width} x {height} pixels, more than the "
            f"{limits.max_pixels:,} pixels allowed",
            "too_many_pixels",
        )
    if at_least is not None:
        image.draft("RGB", (2 * at_least, 2 * at_least))
    return _load(image)


def network_input(image: Image.Image, size: int, crop: Crop) -> Pixels:
    """An RGB image to the network's input: uint8 `[size, size, 3]`.

    `center` keeps the largest centred square, `whole` squeezes the full frame into the square.
    """
    width, height = image.size
    box = (0.0, 0.0, float(width), float(height))
    if crop == "center":
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
    resized = image.resize((size, size), Image.Resampling.BICUBIC, box=box)
    return np.asarray(resized, dtype=np.uint8)


def read_input(data: bytes, size: int, crop: Crop, limits: Limits) -> Pixels:
    """Image bytes to the network's input, uint8 `[size, size, 3]`. Raises ImageError."""
    return network_input(decode(data, limits, at_least=size), size, crop)


def _open(data: bytes) -> Image.Image:
    """Parse the header only."""
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise ImageError(
            f"this is not an image of a supported format ({', '.join(FORMATS)})", "not_an_image"
        ) from None
    except Exception as error:  # a parser may raise anything on hostile bytes
        raise ImageError(f"the image header is damaged ({error})", "damaged") from None


def _load(image: Image.Image) -> Image.Image:
    try:
        image.load()
        return _to_rgb(ImageOps.exif_transpose(image))
    except Exception as error:  # as above: decoders raise OSError, SyntaxError, struct.error, ...
        raise ImageError(f"the image is truncated or damaged ({error})", "damaged") from None


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        # Pillow would clip 16-bit grey levels at 255 instead of scaling them.
        levels = np.asarray(image, dtype=np.float32)
        image = Image.fromarray((levels / 257.0).clip(0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")

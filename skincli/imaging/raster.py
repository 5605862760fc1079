"""The essence of an image file through Pillow, to an upright RGB image."""

import io
import logging
import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from skincli.errors import ImageError
from skincli.imaging.damage import named_damage
from skincli.imaging.essence import Essence
from skincli.imaging.header import Header
from skincli.imaging.limits import Pixels

_DEEP_GREY: Final = ("I;16", "I;16L", "I;16B")
_ROWS: Final = 256
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Our own limit is far lower than Pillow's, and its remarks on odd metadata help no one. Set once
# for the process: `warnings.catch_warnings` is not safe in the threads that decode.
Image.MAX_IMAGE_PIXELS = None
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class RasterImage:
    """A file that Pillow has opened."""

    image: Image.Image
    header: Header

    def decode(self, at_least: int | None = None) -> Image.Image:
        with named_damage("the image is truncated or damaged"):
            if at_least is not None:
                self.image.draft("RGB", (2 * at_least, 2 * at_least))
            self.image.load()
            return upright(_to_rgb(self.image, self.header), self.header.orientation)


def open_raster(essence: Essence) -> RasterImage:
    """Parse the header only. Raises ImageError."""
    with named_damage("the image header is damaged"):
        try:
            image = Image.open(io.BytesIO(essence.data), formats=(essence.format,))
        except UnidentifiedImageError:
            raise ImageError("the image header is damaged", "damaged") from None
        if image.size != (essence.width, essence.height):
            raise ValueError("the file names two sizes")
        if image.mode in ("I", "F"):
            raise ImageError("the range of the grey levels is not known", "unsupported_format")
        return RasterImage(image, _header_of(image, essence))


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """The image turned as EXIF's orientation says."""
    turn = _UPRIGHT.get(orientation)
    return image if turn is None else image.transpose(turn)


def _header_of(image: Image.Image, essence: Essence) -> Header:
    width, height = image.size
    turned = essence.orientation >= 5
    return Header(
        format=essence.format,
        mode=image.mode,
        width=height if turned else width,
        height=width if turned else height,
        orientation=essence.orientation,
        bits=_bits(image),
        transparent=_is_transparent(image),
        several_frames=essence.several_frames,
    )


def _bits(image: Image.Image) -> int:
    """Bits per channel as stored, which Pillow tells by the names of its modes and raw modes."""
    raw = str(image.tile[0][3]) if isinstance(image, ImageFile.ImageFile) and image.tile else ""
    for bits in (16, 12):
        if f";{bits}" in raw or f";{bits}" in image.mode:
            return bits
    return 1 if image.mode == "1" else 8


def _is_transparent(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info


def _to_rgb(image: Image.Image, header: Header) -> Image.Image:
    if image.mode in _DEEP_GREY:
        image = Image.fromarray(_eight_bit(np.asarray(image), header.bits))
    if _is_transparent(image):
        return _on_white(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """By rows, to save memory."""
    width, height = image.size
    canvas = Image.new("RGB", image.size, "white")
    for top in range(0, height, _ROWS):
        rows = image.crop((0, top, width, min(top + _ROWS, height))).convert("RGBA")
        canvas.paste(rows, (0, top), rows)
    return canvas


def _eight_bit(levels: np.ndarray, bits: int) -> Pixels:
    """Grey levels scaled, where Pillow would clip them at 255. By rows, to save memory."""
    scaled: Pixels = np.empty(levels.shape, np.uint8)
    for top in range(0, len(levels), _ROWS):
        rows = levels[top : top + _ROWS] * np.float32(255 / (2**bits - 1))
        scaled[top : top + _ROWS] = rows.clip(0, 255)
    return scaled

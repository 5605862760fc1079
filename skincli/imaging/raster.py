"""JPEG, PNG, WebP, BMP and TIFF through Pillow."""

import io
import logging
import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError
from PIL.ExifTags import Base

from skincli.errors import ImageError
from skincli.imaging.damage import named_damage
from skincli.imaging.header import Header
from skincli.imaging.limits import FORMATS

_PILLOW_FORMATS: Final = tuple(name for name in FORMATS if name != "DICOM")
_DEEP_GREY: Final = ("I;16", "I;16L", "I;16B")

# Our own limit is far lower than Pillow's, and its remarks on odd metadata help no one. Set once
# for the process: `warnings.catch_warnings` is not safe in the threads that decode.
Image.MAX_IMAGE_PIXELS = None
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class RasterImage:
    """A file that Pillow has opened. Of several frames, the first is the picture."""

    image: Image.Image
    header: Header

    def decode(self, at_least: int | None = None) -> Image.Image:
        with named_damage("the image is truncated or damaged"):
            if at_least is not None:
                self.image.draft("RGB", (2 * at_least, 2 * at_least))
            self.image.load()
            ImageOps.exif_transpose(self.image, in_place=True)
            return _to_rgb(self.image, self.header)


def open_raster(data: bytes) -> RasterImage:
    """Parse the header only. Raises ImageError."""
    with named_damage("the image header is damaged"):
        try:
            image = Image.open(io.BytesIO(data), formats=_PILLOW_FORMATS)
        except UnidentifiedImageError:
            raise ImageError(
                f"this is not an image of a supported format ({', '.join(FORMATS)})",
                "not_an_image",
            ) from None
        if image.mode in ("I", "F"):
            raise ImageError("the range of the grey levels is not known", "unsupported_format")
        return RasterImage(image, _header_of(image))


def _header_of(image: Image.Image) -> Header:
    several = _has_further_frames(image)
    orientation = _orientation(image)
    width, height = image.size
    # Pillow turns the size of a TIFF by itself.
    if orientation >= 5 and image.format != "TIFF":
        width, height = height, width
    return Header(
        # MPO is what Pillow calls a JPEG that is followed by further pictures.
        format="JPEG" if image.format == "MPO" else str(image.format),
        mode=image.mode,
        width=width,
        height=height,
        orientation=orientation,
        bits=_bits(image),
        transparent=_is_transparent(image),
        several_frames=several,
    )


def _orientation(image: Image.Image) -> int:
    if image.format == "PNG":
        # `getexif` would decode the image first, to look for what may stand behind the pixels.
        exif = Image.Exif()
        exif.load(image.info.get("exif", b""))
    else:
        exif = image.getexif()
    orientation = exif.get(Base.Orientation, 1)
    return orientation if orientation in range(1, 9) else 1


def _has_further_frames(image: Image.Image) -> bool:
    """Whether there is a second frame. A TIFF is asked for that one only: counting may be long."""
    if image.format != "TIFF":
        return bool(getattr(image, "is_animated", False))
    try:
        image.seek(1)
    except EOFError:
        return False
    image.seek(0)
    return True


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
        # Pillow would clip these grey levels at 255 instead of scaling them.
        levels = np.asarray(image, dtype=np.float32) * (255 / (2**header.bits - 1))
        image = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    if _is_transparent(image):
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return image if image.mode == "RGB" else image.convert("RGB")

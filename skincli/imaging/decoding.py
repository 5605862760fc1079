"""Image bytes of any supported format to an upright RGB image and the network's input."""

from collections.abc import Callable
from typing import Final

from PIL import Image

from skincli.config.data import Crop
from skincli.errors import ImageError
from skincli.imaging.bmp import bmp_essence, is_bmp
from skincli.imaging.dicom import is_dicom, open_dicom
from skincli.imaging.essence import Essence
from skincli.imaging.framing import network_input
from skincli.imaging.header import Header, OpenImage
from skincli.imaging.jpeg import open_jpeg
from skincli.imaging.limits import FORMATS, Limits, Pixels
from skincli.imaging.png import is_png, png_essence
from skincli.imaging.raster import open_raster
from skincli.imaging.segments import is_jpeg, read_segments
from skincli.imaging.tiff import is_tiff, tiff_essence
from skincli.imaging.webp import is_webp, webp_essence

_PICTURE_SIDE: Final = 256
_READERS: Final[tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Essence]], ...]] = (
    (is_png, png_essence),
    (is_webp, webp_essence),
    (is_bmp, bmp_essence),
    (is_tiff, tiff_essence),
)


def open_image(data: bytes, limits: Limits) -> OpenImage:
    """Read an image's header; its pixels are not decoded yet. Raises ImageError."""
    limits.check_bytes(data)
    if is_dicom(data):
        image: OpenImage = open_dicom(data)
        limits.check_size("DICOM", image.header.width, image.header.height)
        return image
    if is_jpeg(data):
        segments = read_segments(data)
        limits.check_size("JPEG", segments.essence.width, segments.essence.height)
        return open_jpeg(segments)
    essence = _essence(data)
    limits.check_size(essence.format, essence.width, essence.height)
    return open_raster(essence)


def read_header(data: bytes, limits: Limits) -> Header:
    """What an image file says of itself. Raises ImageError, also for a file beyond the limits."""
    return open_image(data, limits).header


def decode(data: bytes, limits: Limits, at_least: int | None = None) -> Image.Image:
    """Image bytes to an upright RGB image; of several frames, the first.

    `at_least` is the side in pixels that the caller will resize to: a JPEG may then be decoded at
    1/2, 1/4 or 1/8 of its size, never below twice that side. Raises ImageError, for a DICOM file
    of several frames too: they are pictures of equal rank.
    """
    return open_image(data, limits).decode(at_least)


def read_input(data: bytes, size: int, crop: Crop, limits: Limits) -> Pixels:
    """Image bytes to the network's input, uint8 `[size, size, 3]`. Raises ImageError."""
    return network_input(decode(data, limits, at_least=size), size, crop)


def read_picture(data: bytes, size: int, crop: Crop, limits: Limits) -> Pixels:
    """The region that the network sees at `size`, in a resolution made for people."""
    side = max(_PICTURE_SIDE, size)
    return network_input(decode(data, limits, at_least=side), side, crop)


def _essence(data: bytes) -> Essence:
    """By what the content begins with, whatever name or type it was sent under."""
    for is_format, essence_of in _READERS:
        if is_format(data):
            return essence_of(data)
    raise ImageError(
        f"this is not an image of a supported format ({', '.join(FORMATS)})", "not_an_image"
    )

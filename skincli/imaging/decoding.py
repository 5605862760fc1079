"""Image bytes of any supported format to an upright RGB image and the network's input."""

from typing import Final

from PIL import Image

from skincli.config.data import Crop
from skincli.imaging.dicom import is_dicom, open_dicom
from skincli.imaging.framing import network_input
from skincli.imaging.header import Header, OpenImage
from skincli.imaging.jpeg import MODES, JpegImage, is_jpeg, plain_header
from skincli.imaging.limits import Limits, Pixels
from skincli.imaging.raster import open_raster

_PICTURE_SIDE: Final = 256


def open_image(data: bytes, limits: Limits) -> OpenImage:
    """Read an image's header; its pixels are not decoded yet. Raises ImageError."""
    limits.check_bytes(data)
    image = _parsed(data)
    limits.check_size(image.header.width, image.header.height)
    return image


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


def _parsed(data: bytes) -> OpenImage:
    if is_dicom(data):
        return open_dicom(data)
    plain = plain_header(data) if is_jpeg(data) else None
    if plain is not None:
        return JpegImage(data, plain)
    raster = open_raster(data)
    if raster.header.format == "JPEG" and raster.header.mode in MODES:
        return JpegImage(data, raster.header)
    return raster

"""JPEG through libjpeg-turbo without detours (simplejpeg): Pillow's pixels in less time.

It lets go of the interpreter while it decodes. What it stumbles over is left to Pillow.
"""

import struct
from dataclasses import dataclass
from typing import Final

import simplejpeg
from PIL import Image

from skincli.errors import ImageError
from skincli.imaging.header import Header
from skincli.imaging.limits import Pixels
from skincli.imaging.raster import open_raster

# The modes that Pillow gives grey and colour; CMYK and the like are left to it.
MODES: Final = ("L", "RGB")
_MODES_BY_CHANNELS: Final = {1: "L", 3: "RGB"}

# What libjpeg warns of when picture data are missing or wrong. It fills the gap with grey.
_LOSSES: Final = ("remature end", "bad Huffman code", "bad arithmetic code", "instead of RST")
# Markers, by ITU-T T.81, table B.1: baseline, extended and progressive frames, and the scan.
_FRAMES, _SCAN = (0xC0, 0xC1, 0xC2), 0xDA
_EXIF_OR_XMP, _ICC_OR_MPF = 0xE1, 0xE2
_BARE_MARKERS: Final = range(0xD0, 0xDA)

_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class JpegImage:
    """A JPEG in grey or colour."""

    data: bytes
    header: Header

    def decode(self, at_least: int | None = None) -> Image.Image:
        try:
            pixels = self._pixels(at_least)
        except ValueError as error:
            if any(loss in str(error) for loss in _LOSSES):
                raise ImageError(
                    f"the image is truncated or damaged ({error})", "damaged"
                ) from None
            return open_raster(self.data).decode(at_least)
        image = Image.fromarray(pixels)
        turn = _UPRIGHT.get(self.header.orientation)
        return image if turn is None else image.transpose(turn)

    def _pixels(self, at_least: int | None) -> Pixels:
        """Uint8 `[h, w, 3]` as stored. Raises ValueError, for what libjpeg warns of too."""
        # The limits were held against the header's size, which Pillow may have read.
        height, width, *_ = simplejpeg.decode_jpeg_header(self.data)
        if {width, height} != {self.header.width, self.header.height}:
            raise ValueError("the file names two sizes")
        pixels: Pixels = simplejpeg.decode_jpeg(self.data, **least_size(width, height, at_least))
        return pixels


def is_jpeg(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8")


def plain_header(data: bytes) -> Header | None:
    """The header of a JPEG in grey or colour without EXIF, XMP or further pictures, else None.

    Most images of the public sets are such; Pillow takes ten times as long to say the same.
    """
    header, at = None, 2
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _SCAN:
            return header
        if marker in _FRAMES:
            header = _frame_header(data[at + 4 : at + 10])
        several = marker == _ICC_OR_MPF and data[at + 4 : at + 8] == b"MPF\0"
        if several or marker == _EXIF_OR_XMP or marker in _BARE_MARKERS:
            return None
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None


def _frame_header(content: bytes) -> Header | None:
    bits, height, width, channels = struct.unpack(">BHHB", content)
    if bits != 8 or not height or channels not in _MODES_BY_CHANNELS:
        return None
    return Header("JPEG", _MODES_BY_CHANNELS[channels], width, height)


def least_size(width: int, height: int, at_least: int | None) -> dict[str, int]:
    """What to ask of the decoder so that it divides both sides by 1, 2, 4 or 8.

    It takes the smallest of its scales that is not below this size.
    """
    room = 1 if at_least is None else min(width, height) // (2 * at_least)
    divisor = next((divisor for divisor in (8, 4, 2) if room >= divisor), 1)
    if divisor == 1:
        return {}
    return {"min_width": -(-width // divisor), "min_height": -(-height // divisor)}

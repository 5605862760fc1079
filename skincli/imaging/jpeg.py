"""JPEG through libjpeg-turbo without detours (simplejpeg): Pillow's pixels in less time.

It lets go of the interpreter while it decodes. What it stumbles over is left to Pillow.
"""

from dataclasses import dataclass
from typing import Final

import simplejpeg
from PIL import Image

from skincli.errors import ImageError
from skincli.imaging.essence import Essence
from skincli.imaging.header import Header, OpenImage
from skincli.imaging.limits import Pixels
from skincli.imaging.raster import open_raster, upright
from skincli.imaging.segments import Segments

# The modes that Pillow gives grey and colour; CMYK and the like are left to it.
_MODES: Final = {1: "L", 3: "RGB"}

# What libjpeg warns of when picture data are missing or wrong. It fills the gap with grey.
_LOSSES: Final = ("remature end", "bad Huffman code", "bad arithmetic code", "instead of RST")


@dataclass(frozen=True, slots=True)
class JpegImage:
    """A JPEG in grey or colour."""

    essence: Essence
    header: Header

    def decode(self, at_least: int | None = None) -> Image.Image:
        try:
            pixels = self._pixels(at_least)
        except ValueError as error:
            if any(loss in str(error) for loss in _LOSSES):
                raise ImageError(
                    f"the image is truncated or damaged ({error})", "damaged"
                ) from None
            return open_raster(self.essence).decode(at_least)
        return upright(Image.fromarray(pixels), self.header.orientation)

    def _pixels(self, at_least: int | None) -> Pixels:
        """Uint8 `[h, w, 3]` as stored. Raises ValueError, for what libjpeg warns of too."""
        data, expected = self.essence.data, (self.essence.width, self.essence.height)
        # The limits were held against the size that we read.
        height, width, *_ = simplejpeg.decode_jpeg_header(data)
        if (width, height) != expected:
            raise ValueError("the file names two sizes")
        pixels: Pixels = simplejpeg.decode_jpeg(data, **least_size(width, height, at_least))
        return pixels


def open_jpeg(segments: Segments) -> OpenImage:
    """Raises ImageError."""
    essence, mode = segments.essence, _MODES.get(segments.channels)
    if mode is None:
        return open_raster(essence)
    size = (essence.width, essence.height)
    width, height = size[::-1] if essence.orientation >= 5 else size
    header = Header(
        "JPEG",
        mode,
        width,
        height,
        orientation=essence.orientation,
        several_frames=essence.several_frames,
    )
    return JpegImage(essence, header)


def least_size(width: int, height: int, at_least: int | None) -> dict[str, int]:
    """What to ask of the decoder so that it divides both sides by 1, 2, 4 or 8.

    It takes the smallest of its scales that is not below this size.
    """
    room = 1 if at_least is None else min(width, height) // (2 * at_least)
    divisor = next((divisor for divisor in (8, 4, 2) if room >= divisor), 1)
    if divisor == 1:
        return {}
    return {"min_width": -(-width // divisor), "min_height": -(-height // divisor)}

"""What an image file says of itself before a pixel is decoded."""

from dataclasses import dataclass
from typing import Final, Literal, Protocol

from PIL import Image

Conversion = Literal[
    "grayscale", "palette", "cmyk", "16-bit", "transparent", "rotated", "several frames"
]

_GRAYSCALE: Final = ("1", "L", "LA", "La", "I;16", "I;16L", "I;16B", "MONOCHROME1", "MONOCHROME2")
_PALETTE: Final = ("P", "PA", "PALETTE COLOR")


@dataclass(frozen=True, slots=True)
class Header:
    """An image file's own description.

    `format` is one of `FORMATS`. `mode` is Pillow's name for the stored pixels or, of a DICOM
    file, the photometric interpretation. `width` and `height` are in pixels, turned upright.
    `orientation` is EXIF's: 1 is upright, 2 to 8 are turned or mirrored. `bits` are those of one
    channel. `several_frames` tells an animation, or a file with further pages or pictures.
    """

    format: str
    mode: str
    width: int
    height: int
    orientation: int = 1
    bits: int = 8
    transparent: bool = False
    several_frames: bool = False

    @property
    def conversions(self) -> tuple[Conversion, ...]:
        """What decoding changes to make an upright, opaque 8-bit RGB image of it."""
        changes: dict[Conversion, bool] = {
            "grayscale": self.mode in _GRAYSCALE,
            "palette": self.mode in _PALETTE,
            "cmyk": self.mode == "CMYK",
            "16-bit": self.bits > 8,
            "transparent": self.transparent,
            "rotated": self.orientation != 1,
            "several frames": self.several_frames,
        }
        return tuple(change for change, made in changes.items() if made)


class OpenImage(Protocol):
    """An image whose header was read and whose pixels were not."""

    @property
    def header(self) -> Header: ...

    def decode(self, at_least: int | None = None) -> Image.Image:
        """The pixels as an upright RGB image; `at_least` as in `skincli.imaging.decode`."""
        ...

"""Which image files are taken, and how large they may be."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skincli.config.schema import ImageConfig
from skincli.errors import ImageError

Pixels = NDArray[np.uint8]

# DICOM needs the optional pydicom; without it such a file is refused by name.
FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "DICOM")
IMAGE_SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".dcm"}
)
# Decoders that take twice the memory of others, some 16 bytes a pixel, may decode half the pixels.
_DIVISORS: Final = {"WEBP": 2, "DICOM": 2}
# The longest side of a JPEG. Resizing takes memory by the side: 32 bytes a pixel of it.
_MOST_SIDE: Final = 65_535


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused before a pixel is decoded."""

    max_bytes: int
    max_pixels: int

    @classmethod
    def of(cls, config: ImageConfig) -> "Limits":
        return cls(int(config.max_megabytes * 1e6), int(config.max_megapixels * 1e6))

    def check_bytes(self, data: bytes) -> None:
        """Raises ImageError for a file that is empty or too long."""
        if not data:
            raise ImageError("the file is empty", "empty")
        if len(data) > self.max_bytes:
            raise ImageError(
                f"the file has {len(data):,} bytes, more than the {self.max_bytes:,} allowed",
                "too_many_bytes",
            )

    def check_size(self, format_name: str, width: int, height: int) -> None:
        """Raises ImageError for an image with too many pixels."""
        most = self.max_pixels // _DIVISORS.get(format_name, 1)
        if width * height > most:
            raise ImageError(
                f"the image is {width} x {height} pixels, more than the {most:,} pixels allowed",
                "too_many_pixels",
            )
        if max(width, height) > _MOST_SIDE:
            raise ImageError(
                f"the image is {width} x {height} pixels: no side may have more than "
                f"{_MOST_SIDE:,}",
                "too_many_pixels",
            )

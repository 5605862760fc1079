"""What of an image file is handed to a decoder: the picture, and nothing that only describes it.

Colour profiles, comments, thumbnails and further pictures are where a few bytes unpack to a
thousand times as many, or where a reader is sent round in circles. They are not needed, so no
decoder sees them; the one exception, which way is up, is read before.
"""

from dataclasses import dataclass
from typing import Final

from skincli.errors import ImageError

# Chunks, segments or frames that are walked over. A PNG of 20 MB in libpng's chunks of 8 KB has
# 2,500; a walk of this length takes some 50 ms.
MOST_PARTS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Essence:
    """A file of the same format that shows the same picture.

    `width` and `height` are in pixels as stored, before the picture is turned as `orientation`
    says. `several_frames` tells that further pictures were left out.
    """

    format: str
    data: bytes
    width: int
    height: int
    orientation: int = 1
    several_frames: bool = False


def damaged(what: str) -> ImageError:
    return ImageError(f"the image is truncated or damaged: {what}", "damaged")


def not_read(what: str) -> ImageError:
    return ImageError(f"{what} is not read", "unsupported_format")

"""BMP files: their header, which says how the pixels are stored."""

import struct
from typing import Final

from skincli.imaging.essence import Essence, damaged, not_read

# The old header of OS/2, and the length from which on a header says how pixels are stored.
_OLD_HEADER, _HEADER = 12, 40
# As they are, or with masks. Run lengths make an image of 50 megapixels of some kilobytes, and
# Pillow unpacks them in Python; a JPEG or PNG inside is for printers.
_COMPRESSIONS: Final = (0, 3)


def is_bmp(data: bytes) -> bool:
    return data.startswith(b"BM")


def bmp_essence(data: bytes) -> Essence:
    """The file itself: a BMP has nothing but its picture. Raises ImageError."""
    if len(data) < 14 + _HEADER:
        raise damaged("it ends early")
    (header,) = struct.unpack_from("<I", data, 14)
    if header == _OLD_HEADER:
        width, height = struct.unpack_from("<HH", data, 18)
        return Essence("BMP", data, width, height)
    if not _HEADER <= header <= 1000:
        raise damaged("its header makes no sense")
    width, height = struct.unpack_from("<ii", data, 18)
    (compression,) = struct.unpack_from("<I", data, 30)
    if compression not in _COMPRESSIONS:
        raise not_read("a compressed BMP")
    return Essence("BMP", data, width, abs(height))

"""TIFF files: the first page, if its parts lie where its tags say and are packed in common ways.

Tag numbers are those of TIFF 6.0.
"""

import struct
from math import ceil
from typing import Final

from skincli.imaging.directory import Directory, is_directory, read_directory
from skincli.imaging.essence import MOST_PARTS, Essence, damaged, not_read

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _COLOUR, _ORIENTATION = 256, 257, 258, 259, 262, 274
_STRIPS, _SAMPLES, _ROWS, _STRIP_BYTES, _PLANES = 273, 277, 278, 279, 284
_PREDICTOR, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = 317, 322, 323, 324, 325
# What a decoder is shown; the rest describes the picture. Fill order, predictor, palette, inks,
# extra samples, sample format, JPEG tables and those of YCbCr.
_NEEDED: Final = (
    _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _COLOUR, 266, _STRIPS, _SAMPLES, _ROWS, _STRIP_BYTES,
    _PLANES, _PREDICTOR, 320, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES, 332, 338, 339, 347,
    529, 530, 531, 532,
)  # fmt: skip

# None, LZW, JPEG, Deflate by both its numbers, PackBits. Others are for faxes and films, and
# most of what was found in libtiff over the years lay in them.
_PLAIN, _JPEG = 1, 7
_COMPRESSIONS: Final = (_PLAIN, 5, _JPEG, 8, 32946, 32773)
# Grey from white or black, RGB, palette, CMYK; YCbCr only inside of a JPEG.
_COLOURS: Final = (0, 1, 2, 3, 5)
_YCBCR: Final = 6
_PREDICTORS: Final = (1, 2)  # none, and differences of neighbours
# A strip or tile is unpacked in one piece. 50 megapixels in RGB take 150 MB.
_MOST_BYTES: Final = 2**28
_JPEG_SCAN: Final = b"\xff\xda"


def is_tiff(data: bytes) -> bool:
    return is_directory(data)


def tiff_essence(data: bytes) -> Essence:
    """The first page behind a directory of its own, and the data where they were.

    Raises ImageError.
    """
    directory = read_directory(data)
    width, height = _one(directory, _WIDTH, 0), _one(directory, _HEIGHT, 0)
    if not (width and height):
        raise damaged("it has no size")
    _check_storage(directory)
    _check_pieces(directory, width, height)
    turned = _one(directory, _ORIENTATION, 1)
    return Essence(
        "TIFF",
        _with_needed_tags(directory),
        width,
        height,
        orientation=turned if turned in range(1, 9) else 1,
        several_frames=directory.has_next,
    )


def _with_needed_tags(directory: Directory) -> bytes:
    tags = [directory.entries[tag].raw for tag in sorted(_NEEDED) if tag in directory.entries]
    at = len(directory.data) + len(directory.data) % 2
    head = directory.data[:4] + struct.pack(f"{directory.order}I", at)
    count = struct.pack(f"{directory.order}H", len(tags))
    return b"".join((head, directory.data[8:].ljust(at - 8, b"\0"), count, *tags, bytes(4)))


def _check_storage(directory: Directory) -> None:
    compression, colour = _one(directory, _COMPRESSION, _PLAIN), _one(directory, _COLOUR, 0)
    if compression not in _COMPRESSIONS:
        raise not_read(f"a TIFF of compression {compression}")
    if colour not in _COLOURS and not (colour == _YCBCR and compression == _JPEG):
        raise not_read(f"a TIFF of colours {colour} in compression {compression}")
    if _one(directory, _PREDICTOR, 1) not in _PREDICTORS:
        raise not_read("a TIFF of this predictor")
    bits = directory.integers(_BITS)
    if len(bits) > 5 or not all(1 <= number <= 16 for number in bits):
        raise not_read("a TIFF of more than 16 bits or 5 channels")


def _check_pieces(directory: Directory, width: int, height: int) -> None:
    """Strips or tiles: no more than the picture needs, none huge, each in a place of its own."""
    tiled = _TILES in directory.entries
    across = _one(directory, _TILE_WIDTH, 0) if tiled else width
    down = (
        _one(directory, _TILE_HEIGHT, 0) if tiled else min(height, _one(directory, _ROWS, height))
    )
    if not (across and down):
        raise damaged("its strips or tiles have no size")
    samples = _one(directory, _SAMPLES, 1)
    planes = samples if _one(directory, _PLANES, 1) == 2 else 1
    bits = max(directory.integers(_BITS), default=1)
    if across * down * samples * bits / 8 > _MOST_BYTES:
        raise not_read(f"a TIFF in strips or tiles of {across} x {down} pixels")
    needed = ceil(width / across) * ceil(height / down) * planes
    if needed > MOST_PARTS:
        raise not_read(f"a TIFF in more than {MOST_PARTS:,} strips or tiles")
    _check_places(directory, _TILES if tiled else _STRIPS, needed)


def _check_places(directory: Directory, offsets: int, needed: int) -> None:
    starts = directory.integers(offsets)
    sizes = directory.integers(_TILE_BYTES if offsets == _TILES else _STRIP_BYTES)
    if not len(starts) == len(sizes) == needed:
        raise damaged(f"it needs {needed} strips or tiles and names another number")
    places = sorted(zip(starts, sizes, strict=True))
    end = 0
    for start, size in places:
        if start < end:
            raise damaged("its strips or tiles overlap")
        end = start + size
    if end > len(directory.data):
        raise damaged("its strips or tiles end early")
    scans = directory.data.count(_JPEG_SCAN)
    if _one(directory, _COMPRESSION, _PLAIN) == _JPEG and scans > 4 * needed:
        raise not_read("a TIFF around JPEGs of many scans")


def _one(directory: Directory, tag: int, default: int) -> int:
    values = directory.integers(tag)
    return values[0] if values else default

"""TIFF files of which a few bytes unpack to very many, or take very long."""

from PIL import Image

from hostile.jpeg_streams import blank_progressive
from hostile.jpegs import WHOLE as JPEG
from hostile.making import Maker, encoded, patched, picture, zeros
from hostile.tiffs import Value, grey, tiff

SIDE = 7000


def flat(compression: str, mode: str = "RGB") -> bytes:
    """49 megapixels of nothing, as Pillow packs them."""
    return encoded("TIFF", Image.new(mode, (SIDE, SIDE)), compression=compression)


def one_strip(bits: int, channels: int, colour: int) -> bytes:
    packed = zeros(SIDE * SIDE * channels * bits // 8)
    return tiff(
        packed, t256=SIDE, t257=SIDE, t258=(bits,) * channels, t277=channels, t262=colour,
        t278=SIDE, t279=len(packed), t259=8,
    )  # fmt: skip


def tiled(width: int, height: int, count: int = 1, packed: bytes = b"", **more: Value) -> bytes:
    content = packed or bytes(192)
    size = len(content) // count
    places = tuple(8 + number * size for number in range(count))
    return tiff(
        content, t273=None, t278=None, t279=None, t322=width, t323=height, t324=places,
        t325=(size,) * count, **more,
    )  # fmt: skip


def strips_again_and_again() -> bytes:
    """Two halves of the image by turns, many times: each is unpacked, the last ones stay."""
    half = 1000 * 500 * 3
    offsets = tuple(8 + (half if number % 2 else 0) for number in range(40_000))
    return tiff(
        bytes(2 * half), t256=1000, t257=1000, t278=500, t273=offsets, t279=(half,) * 40_000
    )


def strips_of_everything() -> bytes:
    """Each row is packed in the same ten megabytes, of which it needs some bytes."""
    content = zeros(1_000_000) + bytes(10_000_000)
    count = 7000
    return tiff(
        content, t256=7000, t257=count, t278=1, t259=8, t273=(8,) * count,
        t279=(len(content),) * count,
    )  # fmt: skip


def jpeg_inside(content: bytes, **more: Value) -> bytes:
    return tiff(content, t259=7, t262=6, **more)


TIFF_BOMBS: dict[str, Maker] = {
    "49 megapixels by deflate": lambda: flat("tiff_deflate"),
    "49 megapixels by lzw": lambda: flat("tiff_lzw"),
    "49 megapixels by packbits": lambda: flat("packbits"),
    "49 megapixels by fax": lambda: flat("group4", "1"),
    "49 megapixels by jpeg": lambda: flat("jpeg"),
    "49 megapixels of ink": lambda: flat("tiff_deflate", "CMYK"),
    "49 megapixels of alpha": lambda: flat("tiff_deflate", "RGBA"),
    "49 megapixels in one strip": lambda: one_strip(8, 3, 2),
    "49 megapixels of alpha in one strip": lambda: one_strip(8, 4, 2),
    "49 megapixels of deep grey in one strip": lambda: one_strip(16, 1, 1),
    "49 megapixels of deep ink in one strip": lambda: one_strip(16, 4, 5),
    "49 megapixels of floats": lambda: one_strip(32, 1, 1),
    "a tile of 65536 x 65536": tiled(65536, 65536),
    "a tile of 65536 x 65536 packed": lambda: tiled(
        65536, 65536, packed=zeros(400_000_000), t259=8
    ),
    "a tile of 9000 x 9000 packed": lambda: tiled(9000, 9000, packed=zeros(243_000_000), t259=8),
    "a tile of 4 billion x 1": tiled(2**32 - 1, 1),
    "a tile of 0 x 0": tiled(0, 0),
    "a tile of 1 x 1": tiled(1, 1, 64, bytes(192)),
    "a million tiles": lambda: tiled(16, 16, t256=16_000, t257=3000),
    "40000 tiles": lambda: tiled(
        1, 1, 40_000, bytes(120_000), t256=200, t257=200
    ),
    "40000 strips of the same": strips_again_and_again,
    "7000 strips of ten megabytes": strips_of_everything,
    "a jpeg inside": lambda: encoded("TIFF", compression="jpeg"),
    "a jpeg of another size inside": jpeg_inside(JPEG),
    "a jpeg of 2000 scans inside": lambda: tiff(
        blank_progressive(3000, 2000), t259=7, t262=1, t277=1, t258=8, t256=3000, t257=3000,
        t278=3000,
    ),
    "a jpeg of 65535 x 65535 inside": jpeg_inside(
        patched(JPEG, JPEG.index(b"\xff\xc0") + 5, ">HH", 65535, 65535),
        t256=96,
        t257=72,
        t278=72,
    ),
    "jpeg of nothing": jpeg_inside(bytes(200)),
    "fifteen megabytes of tags": lambda: tiff(t700=(1,) * 3_700_000, kinds={700: 4}),
    "fifteen megabytes of an exif tag": lambda: tiff(t33723=(1,) * 3_700_000),
    "fifteen megabytes of places": lambda: tiff(t273=(8,) * 3_700_000),
    "deep grey in floats' clothing": grey(16, 3),
    "of one pixel by lzw": lambda: encoded("TIFF", picture(1, 1), compression="tiff_lzw"),
}  # fmt: skip

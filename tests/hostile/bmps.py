"""BMP files that lie about their size, their palette, or how they are packed."""

import struct

from hostile.making import Maker, cuts, encoded, picture
from hostile.strangers import zipped

WHOLE = encoded("BMP")
PALETTE = encoded("BMP", picture(mode="P"))


def bmp(
    width: int = 8,
    height: int = 8,
    bits: int = 24,
    compression: int = 0,
    content: bytes = bytes(3000),
    *,
    colours: int = 0,
    size: int = 40,
    offset: int = 0,
    masks: bytes = b"",
) -> bytes:
    info = struct.pack(
        "<IiiHHIIiiII", size, width, height, 1, bits, compression, 0, 0, 0, colours, 0
    )
    start = offset or 14 + len(info) + len(masks)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, start) + info + masks + content


def old(width: int, height: int, bits: int, content: bytes = bytes(3000)) -> bytes:
    info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 26) + info + content


def run_lengths(kind: int, content: bytes) -> bytes:
    """49 megapixels by run lengths."""
    return bmp(7000, 7000, 8 if kind == 1 else 4, kind, bytes(1024) + content, offset=1078)


MASKS = {
    "all zero": (0, 0, 0),
    "all ones": (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
    "the same": (0xFF, 0xFF, 0xFF),
    "of one bit": (1, 2, 4),
    "as usual": (0xFF0000, 0xFF00, 0xFF),
}

BMPS: dict[str, Maker] = {
    **cuts("colour", WHOLE, (0.0001, 0.0005, 0.001, 0.0015, 0.002, 0.0025, 0.1, 0.5, 0.99)),
    **cuts("palette", PALETTE, (0.01, 0.05, 0.1, 0.5, 0.99)),
    **{
        f"{width} x {height}": bmp(width, height)
        for width, height in (
            (0, 0), (0, 8), (8, 0), (60_000, 60_000), (2**31 - 1, 2**31 - 1), (-8, 8), (8, -8),
            (8, -(2**31)), (-(2**31), -(2**31)), (50_000_000, 1), (1, 50_000_000), (7000, 7000),
        )
    },
    **{f"{bits} bits": bmp(bits=bits) for bits in (0, 1, 2, 4, 5, 8, 16, 32, 64, 65535)},
    **{f"compression {number}": bmp(bits=8, compression=number) for number in (1, 2, 4, 5, 6, 255)},
    "49 megapixels of ends of lines": lambda: run_lengths(1, bytes(2) * 8000),
    "49 megapixels of runs": lambda: run_lengths(1, b"\xff\x07" * 300_000),
    "49 megapixels of runs of 4 bits": lambda: run_lengths(2, b"\xff\x07" * 300_000),
    "49 megapixels of runs past the line": lambda: run_lengths(1, b"\x01\x07" * 5_000_000),
    "49 megapixels of steps": lambda: run_lengths(1, b"\0\2\0\1" * 7000),
    "49 megapixels of a bit": lambda: bmp(7000, 7000, 1, content=bytes(8 + 876 * 7000)),
    **{
        f"masks {name}, {bits} bits": bmp(bits=bits, compression=3, masks=struct.pack("<3I", *m))
        for name, m in MASKS.items()
        for bits in (16, 24, 32)
    },
    "masks missing": bmp(bits=32, compression=3, content=b""),
    **{f"{number} colours": bmp(bits=8, colours=number) for number in (1, 257, 65536, 2**32 - 1)},
    "a palette cut off": bmp(bits=8, content=bytes(20)),
    **{
        f"a header of {size} bytes": bmp(size=size)
        for size in (0, 4, 16, 52, 56, 64, 108, 124, 2**32 - 1)
    },
    "pixels far away": bmp(offset=2**32 - 1),
    "pixels inside of the header": bmp(offset=10),
    "OS/2": old(8, 8, 24),
    "OS/2 of 65535 x 65535": old(65535, 65535, 24),
    "OS/2 of 0 x 0": old(0, 0, 24),
    "OS/2 with a palette": old(8, 8, 8),
    "an array of bitmaps": b"BA" + WHOLE[2:],
    "only a name": b"BM",
    "and zip": lambda: WHOLE + zipped(),
    "one bit": lambda: encoded("BMP", picture(mode="1")),
    "from the top": bmp(8, -8),
}  # fmt: skip

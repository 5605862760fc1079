"""JPEG files whose picture data take long or lead nowhere."""

import struct

import numpy as np
from PIL import Image

from hostile.jpegs import PROGRESSIVE, SCAN, WHOLE, segment
from hostile.making import Maker, encoded, patched, picture

# Tables of one code, a zero bit: "no difference" and "16384 blocks of nothing, and as many more".
_DC_TABLE = bytes([0x00, 1, *[0] * 15, 0])
_AC_TABLE = bytes([0x10, 1, *[0] * 15, 0xE0])


def blank_progressive(side: int, scans: int, refining: bool = False) -> bytes:
    """A progressive picture of nothing, gone over again and again."""
    frame = struct.pack(">BHHB", 8, side, side, 1) + bytes([1, 0x11, 0])
    blocks = ((side + 7) // 8) ** 2
    first = segment(0xDA, bytes([1, 1, 0x00, 0, 0, 0])) + bytes(-(-blocks // 8))
    bits = ("0" + "1" * 14) * (blocks // (1 << 15) + 1)
    packed = int(bits.ljust(-(-len(bits) // 8) * 8, "1"), 2).to_bytes(-(-len(bits) // 8))
    again = segment(0xDA, bytes([1, 1, 0x00, 1, 63, 0x10 if refining else 0]))
    again += packed.replace(b"\xff", b"\xff\0")
    tables = (
        segment(0xDB, bytes(1) + b"\1" * 64) + segment(0xC4, _DC_TABLE) + segment(0xC4, _AC_TABLE)
    )
    return b"\xff\xd8" + tables + segment(0xC2, frame) + first + again * scans + b"\xff\xd9"


def repeated_scans(count: int) -> bytes:
    """Scans of one channel each, in a baseline picture, again and again."""
    grey = encoded("JPEG", Image.new("L", (64, 64)))
    at = grey.index(b"\xff\xda")
    frame = grey.index(b"\xff\xc0")
    three = struct.pack(">BHHB", 8, 64, 64, 3) + bytes([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
    return (
        grey[:frame]
        + segment(0xC0, three)
        + grey[frame + 13 : -2]
        + grey[at:-2] * count
        + b"\xff\xd9"
    )


def hidden_scans() -> bytes:
    """Scans behind a comment that holds what looks like the end."""
    data = blank_progressive(3000, 300)
    at = data.index(b"\xff\xda")
    end = data.index(b"\xff\xda", at + 2)
    return data[:end] + segment(0xFE, b"\xff\xd9" * 10) + data[end:]


def restarts() -> bytes:
    return encoded("JPEG", picture(800, 600), restart_marker_blocks=1)


def wrong_restarts() -> bytes:
    return restarts().replace(b"\xff\xd3", b"\xff\xd7")


def noise_in_scan(seed: int) -> bytes:
    noise = np.random.default_rng(seed).bytes(20_000).replace(b"\xff", b"\xfe")
    return WHOLE[: SCAN + 14] + noise + b"\xff\xd9"


JPEG_STREAMS: dict[str, Maker] = {
    "7000 x 7000 of 2000 scans": lambda: blank_progressive(7000, 2000),
    "7000 x 7000 of 90 scans": lambda: blank_progressive(7000, 90),
    "7000 x 7000 of 19 scans": lambda: blank_progressive(7000, 18),
    "7000 x 7000 of 19 refining scans": lambda: blank_progressive(7000, 18, refining=True),
    "3000 x 3000 of 99 scans": lambda: blank_progressive(3000, 98),
    "64 x 64 of 30000 scans": lambda: blank_progressive(64, 30_000),
    "64 x 64 of 90 scans": lambda: blank_progressive(64, 89),
    "7000 x 7000 of 1 scan": lambda: blank_progressive(7000, 0),
    "scans behind a false end": hidden_scans,
    "baseline of 3000 scans": lambda: repeated_scans(3000),
    "restart after every block": restarts,
    "restart marks out of order": wrong_restarts,
    "a megabyte of restart marks": WHOLE[: SCAN + 14] + b"\xff\xd0" * 500_000 + WHOLE[SCAN + 14 :],
    "restart marks in the wrong order": WHOLE[: SCAN + 200]
    + b"\xff\xd7\xff\xd1"
    + WHOLE[SCAN + 200 :],
    "a megabyte of stuffed bytes": WHOLE[: SCAN + 14] + b"\xff\0" * 500_000 + b"\xff\xd9",
    "no pixels": WHOLE[: SCAN + 14] + b"\xff\xd9",
    "no pixels and no end": WHOLE[: SCAN + 14],
    "pixels of zeros": WHOLE[: SCAN + 14] + bytes(20_000) + b"\xff\xd9",
    "a beginning inside of the scan": WHOLE[: SCAN + 300] + b"\xff\xd8" + WHOLE[SCAN + 300 :],
    "a frame inside of the scan": WHOLE[: SCAN + 300] + WHOLE[2:],
    "a progressive scan of bits 13 to 0": patched(
        PROGRESSIVE, PROGRESSIVE.index(b"\xff\xda") + 13, ">B", 0xD0
    ),
    **{f"noise in the scan, {seed}": (lambda seed=seed: noise_in_scan(seed)) for seed in range(6)},
}

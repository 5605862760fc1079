"""Valid images of every format, and what is left of them after some changes."""

import io
import struct
import zlib

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from hostile.making import encoded, picture

SMALL = picture(40, 30)


def tiled_tiff() -> bytes:
    """Pillow writes strips only: 48 x 32 in tiles of 16 x 16."""
    from hostile.tiff_bombs import tiled

    packed = b"".join(np.random.default_rng(5).bytes(768) for _ in range(6))
    return tiled(16, 16, 6, packed, t256=48, t257=32)


def animated(kind: str) -> bytes:
    stream = io.BytesIO()
    SMALL.save(stream, kind, save_all=True, append_images=[SMALL.rotate(90), SMALL.rotate(180)])
    return stream.getvalue()


WHOLE: dict[str, bytes] = {
    "jpeg": encoded("JPEG", SMALL),
    "jpeg progressive": encoded("JPEG", SMALL, progressive=True),
    "jpeg grey with restarts": encoded("JPEG", SMALL.convert("L"), restart_marker_blocks=2),
    "jpeg cmyk": encoded("JPEG", SMALL.convert("CMYK")),
    "jpeg of several": animated("MPO"),
    "png": encoded("PNG", SMALL),
    "png palette": encoded("PNG", SMALL.convert("P"), transparency=3),
    "png transparent": encoded("PNG", SMALL.convert("RGBA")),
    "png animated": animated("PNG"),
    "webp": encoded("WEBP", SMALL),
    "webp lossless": encoded("WEBP", SMALL, lossless=True),
    "webp transparent": encoded("WEBP", SMALL.convert("RGBA").rotate(30), quality=50),
    "webp animated": animated("WEBP"),
    "bmp": encoded("BMP", SMALL),
    "bmp palette": encoded("BMP", SMALL.convert("P")),
    "tiff": encoded("TIFF", SMALL),
    "tiff lzw": encoded("TIFF", SMALL, compression="tiff_lzw", tiffinfo={317: 2}),
    "tiff deflate": encoded("TIFF", SMALL.convert("CMYK"), compression="tiff_adobe_deflate"),
    "tiff packbits": encoded("TIFF", SMALL.convert("P"), compression="packbits"),
    "tiff jpeg": encoded("TIFF", SMALL, compression="jpeg"),
    "tiff deep": encoded("TIFF", Image.fromarray(np.arange(1200, dtype=np.uint16).reshape(30, 40))),
    "tiff tiled": tiled_tiff(),
}
OTHERS = tuple(WHOLE.values())
# Where a number is read, these lead astray.
NUMBERS = [
    bytes(4),
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\1\0\0",
    b"\0\0\0\1",
]


def with_right_checksums(data: bytes) -> bytes:
    """A PNG whose chunks are believed although they were changed."""
    fixed, at = bytearray(data), 8
    while at + 12 <= len(fixed):
        (length,) = struct.unpack_from(">I", fixed, at)
        if at + 12 + length > len(fixed):
            break
        checksum = zlib.crc32(fixed[at + 4 : at + 8 + length])
        struct.pack_into(">I", fixed, at + 8 + length, checksum)
        at += 12 + length
    return bytes(fixed)


@st.composite
def mutated(draw: st.DrawFn, whole: bytes) -> bytes:
    """Bits turned, bytes put in, taken out and moved, numbers made extreme, others' parts."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        # Half of the changes hit the first bytes, where most of the meaning is.
        end = draw(st.sampled_from([min(400, len(data)), len(data)]))
        at = draw(st.integers(0, max(0, end - 1)))
        length = draw(st.integers(0, 60))
        change = draw(st.sampled_from(["bit", "put", "take", "twice", "number", "other", "cut"]))
        if change == "bit" and at < len(data):
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif change == "put":
            data[at:at] = draw(st.binary(max_size=12))
        elif change == "take":
            del data[at : at + length]
        elif change == "twice":
            data[at:at] = data[at : at + length]
        elif change == "number":
            data[at : at + 4] = draw(st.sampled_from(NUMBERS))
        elif change == "other":
            data[at : at + length] = draw(st.sampled_from(OTHERS))[at : at + length]
        elif change == "cut":
            del data[-length - 1 :]
    content = bytes(data)
    return with_right_checksums(content) if content[:4] == b"\x89PNG" else content

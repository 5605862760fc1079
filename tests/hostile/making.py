"""What the makers of hostile files share."""

import io
import struct
import zlib
from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
from PIL import Image

Maker = Callable[[], bytes] | bytes


def made(maker: Maker) -> bytes:
    return maker if isinstance(maker, bytes) else maker()


def picture(width: int = 96, height: int = 72, mode: str = "RGB") -> Image.Image:
    """Noise over a gradient, so that it does not compress away."""
    noise = np.random.default_rng(7).integers(0, 120, (height, width, 3))
    ramp = np.linspace(0, 130, width)[None, :, None]
    return Image.fromarray((noise + ramp).astype(np.uint8)).convert(mode)


def encoded(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    stream = io.BytesIO()
    (picture() if image is None else image).save(stream, kind, **options)
    return stream.getvalue()


def cuts(name: str, whole: bytes, places: Iterable[float]) -> dict[str, Maker]:
    """The file cut at shares of its length."""
    return {f"{name} cut at {place:.1%}": whole[: int(place * len(whole))] for place in places}


def patched(data: bytes, at: int, form: str, *values: int | bytes) -> bytes:
    content = struct.pack(form, *values)
    return data[:at] + content + data[at + len(content) :]


def exif(entries: bytes, count: int, following: int = 0, first: int = 8) -> bytes:
    """A little-endian EXIF block with a directory of raw entries of 12 bytes."""
    head = b"II*\0" + struct.pack("<I", first) + struct.pack("<H", count)
    return head + entries + struct.pack("<I", following)


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, kind, count, value)


@cache
def zeros(size: int) -> bytes:
    """So many zero bytes, deflated: some hundred to one, which is made faster than a thousand."""
    packer = zlib.compressobj(1)
    block = bytes(1 << 20)
    packed = [packer.compress(block) for _ in range(size >> 20)]
    packed.append(packer.compress(bytes(size & 0xFFFFF)))
    return b"".join([*packed, packer.flush()])


# What stands in an EXIF block and should not.
ODD_EXIFS: dict[str, bytes] = {
    "orientation 0": exif(entry(0x112, 3, 1, 0), 1),
    "orientation 9": exif(entry(0x112, 3, 1, 9), 1),
    "orientation 65535": exif(entry(0x112, 3, 1, 65535), 1),
    "orientation as text": exif(entry(0x112, 2, 1, 0x36), 1),
    "orientation as a fraction": exif(entry(0x112, 5, 1, 8), 1),
    "orientation of 4 billion values": exif(entry(0x112, 3, 0xFFFFFFFF, 8), 1),
    "directory that follows itself": exif(entry(0x112, 3, 1, 6), 1, following=8),
    "directory inside of itself": exif(entry(0x8769, 4, 1, 8) + entry(0x8825, 4, 1, 8), 2),
    "directory outside": exif(b"", 0, first=0xFFFFFFF0),
    "thumbnail that is the file": exif(entry(0x201, 4, 1, 0) + entry(0x202, 4, 1, 0xFFFFFFFF), 2),
    "5000 tags": exif(b"".join(entry(n, 4, 1, n) for n in range(5000)), 5000),
    "65535 tags declared": exif(entry(0x112, 3, 1, 6), 65535),
    "values far away": exif(entry(0x112, 3, 60, 0xFFFFFF00), 1),
    "cut off": b"II*\0\x08\0\0\0\x05",
    "garbage": bytes(range(256)) * 8,
}

"""WebP files that are cut, lie about their canvas, or hold too much."""

import io
import struct

import numpy as np
from PIL import Image

from hostile.making import ODD_EXIFS, Maker, cuts, encoded, patched, picture
from hostile.strangers import zipped

LOSSY = encoded("WEBP", quality=80)
LOSSLESS = encoded("WEBP", lossless=True)
ALPHA = encoded("WEBP", picture(mode="RGBA").rotate(20), quality=80)


def chunk(kind: bytes, content: bytes, length: int | None = None) -> bytes:
    size = len(content) if length is None else length
    return kind + struct.pack("<I", size) + content + bytes(len(content) % 2)


def riff(*chunks: bytes, size: int | None = None) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def extended(width: int, height: int, flags: int = 0) -> bytes:
    side = [struct.pack("<I", number - 1)[:3] for number in (width, height)]
    return chunk(b"VP8X", bytes([flags, 0, 0, 0]) + b"".join(side))


def frame(content: bytes, width: int = 96, height: int = 72, left: int = 0) -> bytes:
    numbers = (left // 2, 0, width - 1, height - 1, 100)
    return chunk(b"ANMF", b"".join(struct.pack("<I", n)[:3] for n in numbers) + b"\0" + content)


def animation(frames: int, size: tuple[int, int] = (32, 24)) -> bytes:
    stream = io.BytesIO()
    pictures = [Image.new("RGB", size, (n % 256, n // 256, 0)) for n in range(frames)]
    pictures[0].save(stream, "WEBP", save_all=True, append_images=pictures[1:], lossless=True)
    return stream.getvalue()


def noisy(seed: int) -> bytes:
    """A lossless picture whose tables of codes were hit."""
    generator = np.random.default_rng(seed)
    data = bytearray(LOSSLESS)
    for at in generator.integers(21, 200, 12):
        data[at] = generator.integers(0, 256)
    return bytes(data)


def flat(side: int, **options: object) -> bytes:
    return encoded("WEBP", Image.new("RGB", (side, side), "gray"), method=0, **options)


PICTURE = LOSSY[12:]
ANIMATED = chunk(b"ANIM", bytes(6))

WEBPS: dict[str, Maker] = {
    **cuts("lossy", LOSSY, (0.003, 0.006, 0.01, 0.02, 0.2, 0.5, 0.9, 0.999)),
    **cuts("lossless", LOSSLESS, (0.001, 0.002, 0.02, 0.5, 0.999)),
    **cuts("alpha", ALPHA, (0.01, 0.1, 0.5, 0.999)),
    **cuts("animation", animation(4), (0.05, 0.2, 0.5, 0.9)),
    "24 megapixels lossless": lambda: flat(4900, lossless=True),
    "24 megapixels lossy": lambda: flat(4900, quality=1),
    "24 megapixels around a small frame": riff(extended(4900, 4900, 2), ANIMATED, frame(PICTURE)),
    "a canvas of 16 million x 16 million": riff(extended(2**24, 2**24), PICTURE),
    "a canvas of 16 million x 1": riff(extended(2**24, 1), PICTURE),
    "a canvas of 16384 x 16384": riff(extended(16384, 16384), PICTURE),
    "a canvas of 7000 x 7000": riff(extended(7000, 7000), PICTURE),
    "a canvas of 1 x 1": riff(extended(1, 1), PICTURE),
    "a canvas of 7000 x 7000 around a small frame": riff(
        extended(7000, 7000, 2), ANIMATED, frame(PICTURE)
    ),
    "a frame outside of the canvas": riff(extended(96, 72, 2), ANIMATED, frame(PICTURE, left=9000)),
    "a frame of another size": riff(extended(96, 72, 2), ANIMATED, frame(PICTURE, 50, 50)),
    "no picture": riff(extended(96, 72)),
    "an animation without frames": riff(extended(96, 72, 2), ANIMATED),
    "a frame without content": riff(extended(96, 72, 2), ANIMATED, frame(b"")),
    "an animation": lambda: animation(4),
    "an animation of 3000 frames": lambda: animation(3000, (16, 16)),
    "an animation of 300000 frames": lambda: riff(
        extended(96, 72, 2), ANIMATED, frame(PICTURE), *[frame(b"")] * 300_000
    ),
    "a million chunks": lambda: riff(extended(96, 72), chunk(b"abcd", b"") * 1_000_000, PICTURE),
    "40000 chunks": lambda: riff(extended(96, 72), chunk(b"abcd", b"") * 40_000, PICTURE),
    "a size of 0": patched(LOSSY, 4, "<I", 0),
    "a size of 4 billion": patched(LOSSY, 4, "<I", 0xFFFFFFFF),
    "a chunk of 4 billion": patched(LOSSY, 16, "<I", 0xFFFFFFFF),
    "a chunk of 1 byte": patched(LOSSY, 16, "<I", 1),
    "0 x 0": patched(LOSSY, 26, "<HH", 0, 0),
    "16383 x 16383": patched(LOSSY, 26, "<HH", 0x3FFF, 0x3FFF),
    "7000 x 7000 in few bytes": patched(LOSSY, 26, "<HH", 7000, 7000),
    "16384 x 16384 lossless": patched(LOSSLESS, 21, "<I", 0x0FFFFFFF),
    "two pictures": riff(extended(96, 72), PICTURE, LOSSLESS[12:]),
    "alpha of garbage": riff(extended(96, 72, 0x10), chunk(b"ALPH", bytes(range(200))), PICTURE),
    "alpha without a picture": riff(extended(96, 72, 0x10), chunk(b"ALPH", bytes(200))),
    "a profile of garbage": riff(extended(96, 72, 0x20), chunk(b"ICCP", bytes(9000)), PICTURE),
    "only a name": riff(),
    "an unknown beginning": riff(chunk(b"VP9 ", bytes(60))),
    "a short beginning": riff(chunk(b"VP8X", bytes(3)), PICTURE),
    "and zip": lambda: LOSSY + zipped(),
    "transparent": ALPHA,
    **{f"noise in the codes, {seed}": (lambda seed=seed: noisy(seed)) for seed in range(8)},
    **{
        f"exif with {name}": riff(extended(96, 72, 8), PICTURE, chunk(b"EXIF", block))
        for name, block in ODD_EXIFS.items()
    },
}

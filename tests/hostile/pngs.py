"""PNG files that are cut, lie about themselves, or are put together in the wrong way."""

import io
import struct
import zlib
from collections.abc import Iterable

from PIL import Image

from hostile.making import ODD_EXIFS, Maker, cuts, encoded, picture
from hostile.strangers import HTML, PDF, zipped

SIGNATURE = b"\x89PNG\r\n\x1a\n"
WHOLE = encoded("PNG")
PALETTE = encoded("PNG", picture(mode="P"))


def chunk(kind: bytes, content: bytes = b"", length: int | None = None, checksum: int = 0) -> bytes:
    size = len(content) if length is None else length
    crc = zlib.crc32(kind + content) ^ checksum
    return struct.pack(">I", size) + kind + content + struct.pack(">I", crc)


def header(width: int = 8, height: int = 8, bits: int = 8, colour: int = 2, *rest: int) -> bytes:
    compression, filters, interlace = rest or (0, 0, 0)
    fields = (width, height, bits, colour, compression, filters, interlace)
    return chunk(b"IHDR", struct.pack(">IIBBBBB", *fields))


def png(*chunks: bytes, end: bool = True) -> bytes:
    return SIGNATURE + b"".join(chunks) + (chunk(b"IEND") if end else b"")


def pixels(rows: int, row: int, fill: int = 0) -> bytes:
    return chunk(b"IDAT", zlib.compress((b"\0" + bytes([fill]) * row) * rows))


def with_chunks(*extra: bytes, whole: bytes = WHOLE) -> bytes:
    """The whole image with more between the header and the pixels."""
    return whole[:33] + b"".join(extra) + whole[33:]


def in_pieces(size: int) -> bytes:
    packed = zlib.compress((b"\0" + bytes(24)) * 8, 0)
    parts = [chunk(b"IDAT", packed[at : at + size]) for at in range(0, len(packed), size)]
    return png(header(), *parts)


def animation(frames: int) -> bytes:
    stream = io.BytesIO()
    others = [picture(32, 24).rotate(n) for n in range(1, frames)]
    picture(32, 24).save(stream, "PNG", save_all=True, append_images=others)
    return stream.getvalue()


def frame_control(number: int, width: int, height: int, left: int = 0) -> bytes:
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, left, 0, 1, 1, 0, 0))


RGB = pixels(8, 24)


def storages() -> Iterable[tuple[str, bytes]]:
    """Every bit depth and colour type, allowed or not."""
    for bits in (1, 2, 3, 4, 8, 16, 32):
        for colour in (0, 2, 3, 4, 5, 6):
            palette = [chunk(b"PLTE", bytes(range(48)))] if colour == 3 else []
            yield (
                f"{bits} bits of colour type {colour}",
                png(header(8, 8, bits, colour), *palette, pixels(8, 8 * 8, 0x5A)),
            )


HEADERS: dict[str, Maker] = {
    **{
        f"{width} x {height}": png(header(width, height), RGB)
        for width, height in (
            (60_000, 60_000), (2**31 - 1, 2**31 - 1), (2**32 - 1, 2**32 - 1), (0, 0), (0, 8),
            (8, 0), (50_000_000, 1), (1, 50_000_000), (65_536, 1), (7000, 7000),
        )
    },
    "50 million x 1 with its pixels": lambda: png(
        header(50_000_000, 1, 1, 0), pixels(1, 6_250_000)
    ),
    "65535 x 700 with its pixels": lambda: png(header(65_535, 700, 1, 0), pixels(700, 8192)),
    **dict(storages()),
    "compression 1": png(header(8, 8, 8, 2, 1, 0, 0), RGB),
    "filters 1": png(header(8, 8, 8, 2, 0, 1, 0), RGB),
    "interlace 7": png(header(8, 8, 8, 2, 0, 0, 7), RGB),
    "interlaced with rows as they are": png(header(8, 8, 8, 2, 0, 0, 1), RGB),
    "two headers": png(header(), header(6000, 6000), RGB),
    "no header": png(RGB),
    "a short header": png(chunk(b"IHDR", bytes(12)), RGB),
    "a long header": png(chunk(b"IHDR", bytes(14)), RGB),
    "a header of wrong checksum": WHOLE[:30] + b"\0" + WHOLE[31:],
}  # fmt: skip

CHUNKS: dict[str, Maker] = {
    "no pixels": png(header()),
    "empty pixels": png(header(), chunk(b"IDAT")),
    "pixels of garbage": png(header(), chunk(b"IDAT", bytes(range(256)))),
    "pixels of wrong checksum": png(header(), chunk(b"IDAT", zlib.compress(bytes(200)), None, 1)),
    "pixels of wrong adler": png(header(), chunk(b"IDAT", zlib.compress(bytes(200))[:-1] + b"x")),
    "a filter of 200": png(header(), chunk(b"IDAT", zlib.compress((b"\xc8" + bytes(24)) * 8))),
    "too few rows": png(header(), pixels(3, 24)),
    "too many rows": png(header(), pixels(3000, 24)),
    "pixels before the header": png(RGB, header()),
    "no end": png(header(), RGB, end=False),
    "the end first": png(chunk(b"IEND"), header(), RGB),
    "a palette without colours": png(header(8, 8, 8, 3), pixels(8, 8)),
    "a palette too short": png(header(8, 8, 8, 3), chunk(b"PLTE", bytes(6)), pixels(8, 8, 255)),
    "a palette of 4 bytes": png(header(8, 8, 8, 3), chunk(b"PLTE", bytes(4)), pixels(8, 8)),
    "a palette of 300 colours": png(header(8, 8, 8, 3), chunk(b"PLTE", bytes(900)), pixels(8, 8)),
    "transparency of 5000 colours": with_chunks(chunk(b"tRNS", bytes(5000)), whole=PALETTE),
    "transparency of one byte": with_chunks(chunk(b"tRNS", b"\0")),
    "transparency of a palette and none": png(
        header(8, 8, 8, 3), chunk(b"tRNS", bytes(9)), pixels(8, 8)
    ),
    "a chunk of 4 billion bytes": with_chunks(chunk(b"tEXt", b"x", 0xFFFFFFFF)),
    "a chunk of 2 billion bytes": with_chunks(chunk(b"IDAT", b"x", 0x7FFFFFFF)),
    "an unknown critical chunk": with_chunks(chunk(b"ABCD", bytes(100))),
    "a chunk without a name": with_chunks(chunk(b"\0\0\0\0", b"x")),
    "a chunk named in Latin": with_chunks(chunk(b"\xe9\xe9\xe9\xe9", b"x")),
    "apple's own chunk": with_chunks(chunk(b"CgBI", bytes(4))),
    "pixels in single bytes": lambda: in_pieces(1),
    "an animation": lambda: animation(4),
    "an animation of 500 frames": lambda: animation(500),
    "an animation of 2 billion frames": with_chunks(
        chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))
    ),
    "an animation of 0 frames": with_chunks(chunk(b"acTL", bytes(8))),
    "a frame outside": with_chunks(
        chunk(b"acTL", struct.pack(">II", 2, 0)), frame_control(0, 96, 72, 2**31)
    ),
    "a frame without number": with_chunks(
        chunk(b"acTL", struct.pack(">II", 2, 0)), frame_control(7, 96, 72)
    ),
    **{
        f"exif with {name}": with_chunks(chunk(b"eXIf", block)) for name, block in ODD_EXIFS.items()
    },
    "exif behind the pixels": WHOLE[:-12]
    + chunk(b"eXIf", ODD_EXIFS["orientation 9"])
    + WHOLE[-12:],
}

PNGS: dict[str, Maker] = {
    **cuts("colour", WHOLE, (0.0003, 0.0006, 0.001, 0.0015, 0.003, 0.01, 0.1, 0.5, 0.9, 0.9995)),
    **cuts("palette", PALETTE, (0.005, 0.01, 0.05, 0.5, 0.99)),
    **cuts("animation", animation(4), (0.01, 0.1, 0.3, 0.6, 0.99)),
    **HEADERS,
    **CHUNKS,
    "and zip": lambda: WHOLE + zipped(),
    "and html": with_chunks(chunk(b"tEXt", b"Comment\0" + HTML)),
    "and pdf": WHOLE + PDF,
    "transparent": lambda: encoded("PNG", picture(mode="RGBA")),
    "grey and transparent": lambda: encoded("PNG", picture(mode="LA")),
    "one bit": lambda: encoded("PNG", picture(mode="1")),
    "of one pixel": lambda: encoded("PNG", Image.new("RGB", (1, 1))),
}

"""PNG files: their chunks (PNG, third edition, section 5), and of these what the picture needs."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from skincli.imaging.directory import orientation
from skincli.imaging.essence import MOST_PARTS, Essence, damaged

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PALETTE, _TRANSPARENCY = b"PLTE", b"tRNS"
_NEEDED: Final = (b"IHDR", _PALETTE, _TRANSPARENCY, b"IDAT")
# 256 colours of three bytes; the transparency of as many, or of one colour.
_MOST_BYTES: Final = {b"IHDR": 13, _PALETTE: 768, _TRANSPARENCY: 256}


def is_png(data: bytes) -> bool:
    return data.startswith(_SIGNATURE)


def png_essence(data: bytes) -> Essence:
    """The header, the palette, the transparency and the pixels. Raises ImageError."""
    parts: dict[bytes, list[bytes]] = {}
    for kind, content in _chunks(data):
        parts.setdefault(kind, []).append(content)
    header = parts.get(b"IHDR", [b""])[0]
    if len(header) != 13 or len(parts[b"IHDR"]) > 1:
        raise damaged("it has not one header")
    width, height = struct.unpack(">II", header[:8])
    frames = parts.get(b"acTL", [b""])[0][:4]
    once = [
        _chunk(kind, parts[kind][0]) for kind in (b"IHDR", _PALETTE, _TRANSPARENCY) if kind in parts
    ]
    pixels = _chunk(b"IDAT", b"".join(parts.get(b"IDAT", [])))
    return Essence(
        "PNG",
        _SIGNATURE + b"".join([*once, pixels, _chunk(b"IEND", b"")]),
        width,
        height,
        orientation=orientation(parts.get(b"eXIf", [b""])[0]),
        several_frames=int.from_bytes(frames) > 1,
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of the chunks that matter, which are checked."""
    at = len(_SIGNATURE)
    for _ in range(MOST_PARTS):
        head = data[at : at + 8]
        kind, length = head[4:], int.from_bytes(head[:4])
        end = at + 12 + length
        if len(head) < 8 or end > len(data):
            raise damaged("it ends early")
        if kind == b"IEND":
            return
        if kind in _NEEDED or kind in (b"eXIf", b"acTL"):
            content = data[at + 8 : end - 4]
            if len(content) > _MOST_BYTES.get(kind, length):
                raise damaged("a chunk is too long")
            if kind in _NEEDED and zlib.crc32(kind + content) != int.from_bytes(
                data[end - 4 : end]
            ):
                raise damaged("a checksum is wrong")
            yield kind, content
        at = end
    raise damaged(f"it has more than {MOST_PARTS:,} chunks")


def _chunk(kind: bytes, content: bytes) -> bytes:
    named = kind + content
    return struct.pack(">I", len(content)) + named + struct.pack(">I", zlib.crc32(named))

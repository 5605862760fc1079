"""WebP files: their chunks (RFC 9649), and of these what the first picture needs."""

import struct
from collections.abc import Iterator
from typing import Final

from skincli.imaging.directory import orientation
from skincli.imaging.essence import MOST_PARTS, Essence, damaged

_LOSSY, _LOSSLESS, _EXTENDED = b"VP8 ", b"VP8L", b"VP8X"
_FRAME: Final = b"ANMF"
# In the order in which they have to stand.
_NEEDED: Final = (_EXTENDED, b"ANIM", _FRAME, b"ALPH", _LOSSY, _LOSSLESS)
_ALPHA_AND_ANIMATION: Final = 0x12


def is_webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def webp_essence(data: bytes) -> Essence:
    """The canvas and the first frame. Raises ImageError."""
    first: dict[bytes, bytes] = {}
    frames = 0
    for kind, content in _chunks(data):
        frames += kind == _FRAME
        if not first and kind not in (_EXTENDED, _LOSSY, _LOSSLESS):
            raise damaged("it does not begin with a picture")
        first.setdefault(kind, content)
        if _EXTENDED not in first:
            break
    width, height = _size(first)
    if _EXTENDED in first:
        flags = first[_EXTENDED][0] & _ALPHA_AND_ANIMATION
        first[_EXTENDED] = bytes([flags]) + first[_EXTENDED][1:]
    chunks = b"".join(_chunk(kind, first[kind]) for kind in _NEEDED if kind in first)
    return Essence(
        "WEBP",
        b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks,
        width,
        height,
        orientation=orientation(first.get(b"EXIF", b"")),
        several_frames=frames > 1,
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, end = 12, 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise damaged("it ends early")
    for _ in range(MOST_PARTS):
        if at + 8 > end:
            return
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + length > end:
            raise damaged("it ends early")
        yield kind, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    raise damaged(f"it has more than {MOST_PARTS:,} chunks")


def _size(first: dict[bytes, bytes]) -> tuple[int, int]:
    """Of the canvas, else of the picture."""
    if len(content := first.get(_EXTENDED, b"")) >= 10:
        return 1 + int.from_bytes(content[4:7], "little"), 1 + int.from_bytes(
            content[7:10], "little"
        )
    if len(content := first.get(_LOSSY, b"")) >= 10:
        width, height = struct.unpack_from("<HH", content, 6)
        return width & 0x3FFF, height & 0x3FFF
    if len(content := first.get(_LOSSLESS, b"")) >= 5:
        bits = int.from_bytes(content[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    raise damaged("it has no size")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)

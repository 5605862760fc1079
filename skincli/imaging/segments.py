"""JPEG files: the segments before the picture, and the scans in it (ITU-T T.81, annex B)."""

import re
import struct
from dataclasses import dataclass
from typing import Final

from skincli.errors import ImageError
from skincli.imaging.directory import orientation
from skincli.imaging.essence import Essence, damaged, not_read

# Markers, by table B.1: baseline, extended and progressive frames; all other frames (lossless,
# hierarchical, arithmetic coding), which no camera writes; the scan and the end.
_FRAMES: Final = (0xC0, 0xC1, 0xC2)
_OTHER_FRAMES: Final = (0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
_SCAN, _END, _COMMENT = 0xDA, 0xD9, 0xFE
_APPLICATION: Final = range(0xE0, 0xF0)
_EXIF, _MPF = 0xE1, 0xE2
# JFIF and Adobe say how the colours are stored.
_COLOURS: Final = (0xE0, 0xEE)
_BARE: Final = (0x01, *range(0xD0, 0xD9))
_MARKER: Final = re.compile(rb"\xff([^\x00\xff])")
# Where pixels are, a marker is what neither stuffs a byte nor restarts (B.1.1.5).
_MARKER_IN_SCAN: Final = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")

# A colour profile may take 255 segments, and one holds up to 64 KB.
_MOST_SEGMENTS: Final = 1000
# libjpeg writes 10 scans; libtiff allows 100. Each goes over the whole picture, however few its
# bytes: 20 over 50 megapixels take as long as some tens of whole images.
_MOST_SCANS: Final = 100
_MOST_SCANNED_PIXELS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Segments:
    """A JPEG up to its first scan. `channels` are 1, 3 or 4."""

    essence: Essence
    channels: int


def is_jpeg(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8\xff")


def read_segments(data: bytes) -> Segments:
    """Raises ImageError, for a JPEG that would take unreasonably long to decode too."""
    frame, turned, several, kept, at = b"", 1, False, [b"\xff\xd8"], 2
    for _ in range(_MOST_SEGMENTS):
        marker, start, end = _segment(data, at)
        content = data[start + 4 : end]
        if marker == _SCAN:
            return _segments(data, frame, turned, several, b"".join(kept) + data[start:])
        if marker in _OTHER_FRAMES:
            raise not_read("a JPEG that is lossless, hierarchical or coded arithmetically")
        if marker in _FRAMES:
            if frame:
                raise damaged("it has two frames")
            frame = content
        if marker == _EXIF and turned == 1:
            turned = orientation(content)
        several = several or (marker == _MPF and content.startswith(b"MPF\0"))
        if marker in _COLOURS or marker not in (*_APPLICATION, _COMMENT, *_BARE):
            kept.append(data[start:end])
        at = end
    raise damaged(f"it has more than {_MOST_SEGMENTS} segments")


def _segments(data: bytes, frame: bytes, turned: int, several: bool, essential: bytes) -> Segments:
    if len(frame) < 6:
        raise damaged("it has no frame")
    bits, height, width, channels = struct.unpack_from(">BHHB", frame)
    if bits != 8 or channels not in (1, 3, 4):
        raise not_read(f"a JPEG of {channels} channels of {bits} bits")
    if not (width and height):
        raise damaged("it has no size")
    check_scans(essential, width * height)
    return Segments(Essence("JPEG", essential, width, height, turned, several), channels)


def check_scans(data: bytes, pixels: int) -> None:
    """Raises ImageError for a JPEG whose scans go too often over its `pixels`."""
    most = min(_MOST_SCANS, max(20, _MOST_SCANNED_PIXELS // pixels))
    # What is not counted here may be no scan; it is looked at only where there are many.
    if data.count(bytes([0xFF, _SCAN])) > most and _scans(data) > most:
        raise not_read(f"a JPEG of more than {most} scans at this size")


def _scans(data: bytes) -> int:
    scans, at, pattern = 0, 2, _MARKER
    while found := pattern.search(data, at):
        marker, at = found[1][0], found.end()
        scans += marker == _SCAN
        if marker == _END or scans > _MOST_SCANS:
            break
        if marker not in _BARE:
            at += max(2, int.from_bytes(data[at : at + 2]))
        pattern = _MARKER_IN_SCAN if scans else _MARKER
    return scans


def _segment(data: bytes, at: int) -> tuple[int, int, int]:
    """The next marker, where it begins and where its segment ends."""
    found = _MARKER.search(data, at)
    if found is None:
        if at == 2:
            raise ImageError(
                "this is not an image: nothing follows the mark of a JPEG", "not_an_image"
            )
        raise damaged("it ends early")
    marker, start = found[1][0], found.end() - 2
    if marker in _BARE:
        return marker, start, start + 2
    end = start + 2 + int.from_bytes(data[start + 2 : start + 4])
    if marker == _END or end < start + 4 or end > len(data):
        raise damaged("it ends early")
    return marker, start, end

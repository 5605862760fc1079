"""Directories of tags, as TIFF files and EXIF blocks have them (TIFF 6.0, section 2)."""

import struct
from dataclasses import dataclass
from typing import Final

from skincli.errors import ImageError
from skincli.imaging.essence import damaged

# Cameras write some 50 tags and DNG files some 100.
_MOST_TAGS: Final = 1000
_ORDERS: Final = {b"II*\0": "<", b"MM\0*": ">"}
# BYTE, SHORT and LONG, for `struct`.
_INTEGERS: Final = {1: "B", 3: "H", 4: "I"}
_ORIENTATION: Final = 0x0112


@dataclass(frozen=True, slots=True)
class Entry:
    """A tag as it stands in the directory: its 12 bytes, the type and number of its values."""

    raw: bytes
    kind: int
    count: int


@dataclass(frozen=True, slots=True)
class Directory:
    """The first directory of `data`. `order` is the byte order for `struct`."""

    data: bytes
    order: str
    entries: dict[int, Entry]
    has_next: bool

    def integers(self, tag: int) -> tuple[int, ...]:
        """The values of a tag; none where it is missing. Raises ImageError where they lie outside.

        Cost is bounded by the file: a value has at least a byte in it.
        """
        entry = self.entries.get(tag)
        if entry is None:
            return ()
        if entry.kind not in _INTEGERS:
            raise damaged(f"tag {tag} is no integer")
        form = f"{self.order}{entry.count}{_INTEGERS[entry.kind]}"
        size = struct.calcsize(form)
        at = struct.unpack_from(f"{self.order}I", entry.raw, 8)[0]
        values = entry.raw[8 : 8 + size] if size <= 4 else self.data[at : at + size]
        if len(values) < size:
            raise damaged(f"tag {tag} ends early")
        return struct.unpack(form, values)


def is_directory(data: bytes) -> bool:
    return data[:4] in _ORDERS


def read_directory(data: bytes) -> Directory:
    """Raises ImageError where it is no directory, cut off, or longer than any camera's."""
    order = _ORDERS[data[:4]]
    try:
        (at,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, at)
        if count > _MOST_TAGS:
            raise damaged(f"it has {count} tags")
        end = at + 2 + 12 * count
        (following,) = struct.unpack_from(f"{order}I", data, end)
    except struct.error:
        raise damaged("its directory ends early") from None
    entries: dict[int, Entry] = {}
    for start in range(at + 2, end, 12):
        tag, kind, number = struct.unpack_from(f"{order}HHI", data, start)
        entries.setdefault(tag, Entry(data[start : start + 12], kind, number))
    return Directory(data, order, entries, following != 0)


def orientation(exif: bytes) -> int:
    """EXIF's orientation, 1 to 8; upright (1) where the block has none or makes no sense."""
    block = exif.removeprefix(b"Exif\0\0")
    if not is_directory(block):
        return 1
    try:
        values = read_directory(block).integers(_ORIENTATION)
    except ImageError:
        return 1
    return values[0] if values and values[0] in range(1, 9) else 1

"""Images in zip archives, read where they lie. Nothing is extracted, and no header is believed."""

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Final

from skincli.data.reading.files import image_id_of, is_image_name
from skincli.data.records import Rejected
from skincli.errors import DataError
from skincli.imaging import Limits

# What `zipfile` raises on archives that are damaged or made up; RuntimeError is an encrypted entry.
DAMAGE: Final = (
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
_ARCHIVE_SUFFIXES: Final = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"})
_ENCRYPTED: Final = 0x1


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """An image in an archive."""

    archive: zipfile.ZipFile
    entry: zipfile.ZipInfo

    @property
    def size(self) -> int:
        return self.entry.file_size

    @property
    def token(self) -> str:
        return f"{self.entry.file_size}-{self.entry.CRC:08x}"

    def read(self) -> bytes:
        """The bytes, after their CRC was checked.

        An entry may hold far more than it declares: asked for all, `zipfile` would inflate it all.
        """
        with self.archive.open(self.entry) as stream:
            return stream.read(self.entry.file_size)


def open_archive(path: Path) -> zipfile.ZipFile:
    """Open an archive. Raises DataError for a file that is none."""
    try:
        return zipfile.ZipFile(path)
    except DAMAGE as error:
        raise DataError(f"`{path}` is not a readable zip archive: {error}") from None


def image_entries(archive: zipfile.ZipFile) -> Iterator[tuple[str, ArchiveEntry]]:
    """The images in an archive by their ids."""
    for entry in archive.infolist():
        if is_image_name(entry.filename):
            yield image_id_of(entry.filename), ArchiveEntry(archive, entry)


def refused_entries(name: str, archive: zipfile.ZipFile, limits: Limits) -> Iterator[Rejected]:
    """Entries that no honest archive of images holds."""
    for entry in archive.infolist():
        reason = _why_refused(entry, limits)
        if reason:
            detail = f"{entry.filename} in {name}"
            yield Rejected(0, image_id_of(entry.filename), reason, detail)


def is_bounded(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry can be read piece by piece; of other methods, a piece may inflate to all."""
    return entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def _why_refused(entry: zipfile.ZipInfo, limits: Limits) -> str:
    name = PureWindowsPath(entry.filename)  # knows slashes of both kinds, and drives
    if name.anchor or ".." in name.parts:
        return "zip entry outside its folder"
    if name.suffix.lower() in _ARCHIVE_SUFFIXES and not entry.is_dir():
        return "archive inside an archive"
    return _why_unreadable(entry, limits) if is_image_name(entry.filename) else ""


def _why_unreadable(entry: zipfile.ZipInfo, limits: Limits) -> str:
    if entry.flag_bits & _ENCRYPTED:
        return "encrypted zip entry"
    if not is_bounded(entry):
        return "zip entry neither stored nor deflated"
    if entry.file_size > limits.max_bytes:
        return "zip entry larger than image.max_megabytes"
    return ""

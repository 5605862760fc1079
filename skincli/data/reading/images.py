"""Image ids to file bytes, straight out of zip archives or a folder. Nothing is extracted."""

import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from skincli.data.reading.metadata import image_id_of
from skincli.errors import DataError, ImageError
from skincli.imaging import IMAGE_SUFFIXES


class Entry(Protocol):
    """One stored image. `file` is the file on disk that holds it."""

    @property
    def file(self) -> Path: ...

    def read(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _FileEntry:
    file: Path

    def read(self) -> bytes:
        return self.file.read_bytes()


@dataclass(frozen=True, slots=True)
class _ArchiveEntry:
    file: Path
    archive: zipfile.ZipFile
    name: str

    def read(self) -> bytes:
        return self.archive.read(self.name)  # checks the CRC


class ImageStore:
    """Images by id. A context manager that keeps its archives open; reading is thread-safe."""

    def __init__(self, entries: Iterable[tuple[str, Entry]], resources: ExitStack) -> None:
        self._entries: dict[str, Entry] = {}
        self._resources = resources
        twice: set[str] = set()
        for image_id, entry in entries:
            if image_id in self._entries:
                twice.add(image_id)
            self._entries[image_id] = entry
        self.duplicates = frozenset(twice)

    @classmethod
    def of_archives(cls, paths: Iterable[Path]) -> Self:
        """All images in zip archives. Raises DataError for a file that is not one."""
        resources = ExitStack()
        archives: dict[Path, zipfile.ZipFile] = {}
        for path in paths:
            try:
                archives[path] = resources.enter_context(zipfile.ZipFile(path))
            except (zipfile.BadZipFile, OSError) as error:
                resources.close()
                raise DataError(f"`{path}` is not a readable zip archive: {error}") from None
        return cls(_archive_entries(archives), resources)

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """All images in a folder and its subfolders."""
        entries = (
            (image_id_of(path.name), _FileEntry(path))
            for path in sorted(folder.rglob("*"))
            if _is_image(path.name)
        )
        return cls(entries, ExitStack())

    @property
    def ids(self) -> set[str]:
        return set(self._entries)

    def __contains__(self, image_id: object) -> bool:
        return image_id in self._entries

    def files(self, image_ids: Iterable[str]) -> list[Path]:
        """The files on disk that hold these images, sorted."""
        return sorted({self._entries[image_id].file for image_id in image_ids})

    def read(self, image_id: str) -> bytes:
        """The file's bytes. Raises ImageError when the disk or archive cannot give them."""
        try:
            return self._entries[image_id].read()
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ImageError(f"the file cannot be read ({error})", "damaged") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._resources.close()


def _archive_entries(
    archives: Mapping[Path, zipfile.ZipFile],
) -> Iterator[tuple[str, Entry]]:
    for path, archive in archives.items():
        for name in archive.namelist():
            if _is_image(name):
                yield image_id_of(name), _ArchiveEntry(path, archive, name)


def _is_image(name: str) -> bool:
    """Whether a name is an image's; `._name.jpg` is what macOS adds to archives."""
    plain = Path(name)
    return plain.suffix.lower() in IMAGE_SUFFIXES and not plain.name.startswith(".")

"""Image ids to file bytes, straight out of zip archives or a folder."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from skincli.data.reading.archives import DAMAGE, image_entries, open_archive, refused_entries
from skincli.data.reading.files import class_folder_files, image_files, image_id_of
from skincli.data.records import Rejected
from skincli.errors import ImageError
from skincli.imaging import Limits


class Entry(Protocol):
    """One stored image. `token` changes when its bytes do, as far as the container can tell."""

    @property
    def size(self) -> int: ...

    @property
    def token(self) -> str: ...

    def read(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _FileEntry:
    file: Path

    @property
    def size(self) -> int:
        return self.file.stat().st_size

    @property
    def token(self) -> str:
        stat = self.file.stat()
        return f"{stat.st_size}-{stat.st_mtime_ns}"

    def read(self) -> bytes:
        return self.file.read_bytes()


class ImageStore:
    """Images by id. A context manager that keeps its archives open; reading is thread-safe.

    `refused` are entries that no row may use, with the reason; `duplicates` the ids that several
    files have.
    """

    def __init__(
        self,
        entries: Iterable[tuple[str, Entry]],
        resources: ExitStack,
        refused: Iterable[Rejected] = (),
    ) -> None:
        self._entries: dict[str, Entry] = {}
        self._resources = resources
        twice: set[str] = set()
        for image_id, entry in entries:
            if image_id in self._entries:
                twice.add(image_id)
            self._entries[image_id] = entry
        self.duplicates = frozenset(twice)
        self.refused = tuple(refused)
        self._faults = {item.image_id: (item.reason, item.detail) for item in self.refused}

    @classmethod
    def of_archives(cls, paths: Iterable[Path], limits: Limits) -> Self:
        """All images in zip archives. Raises DataError for a file that is not one."""
        with ExitStack() as stack:
            archives = {path: stack.enter_context(open_archive(path)) for path in paths}
            refused = [
                item
                for path, archive in archives.items()
                for item in refused_entries(path.name, archive, limits)
            ]
            names = {item.image_id for item in refused}
            images = [
                (image_id, entry)
                for archive in archives.values()
                for image_id, entry in image_entries(archive)
                if image_id not in names
            ]
            return cls(images, stack.pop_all(), refused)

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """All images in a folder and its subfolders. Raises DataError."""
        entries = ((image_id_of(path.name), _FileEntry(path)) for path in image_files(folder))
        return cls(entries, ExitStack())

    @classmethod
    def of_class_folders(cls, folder: Path) -> Self:
        """All images in the subfolders of `folder`, which may repeat names. Raises DataError."""
        entries = ((image_id, _FileEntry(path)) for image_id, path in class_folder_files(folder))
        return cls(entries, ExitStack())

    @property
    def ids(self) -> set[str]:
        return set(self._entries)

    def __contains__(self, image_id: object) -> bool:
        return image_id in self._entries

    def fault(self, image_id: str) -> tuple[str, str] | None:
        """Why an entry may not be used: reason and detail; None for any other id."""
        return self._faults.get(image_id)

    def token(self, image_id: str) -> str:
        """Names the present state of an image's bytes without reading them."""
        return self._entries[image_id].token

    def size(self, image_id: str) -> int:
        """The bytes that the file has, or says it has."""
        return self._entries[image_id].size

    def read(self, image_id: str) -> bytes:
        """The file's bytes. Raises ImageError when the disk or archive cannot give them."""
        try:
            return self._entries[image_id].read()
        except DAMAGE as error:
            reason = str(error) or "it ends too soon"
            raise ImageError(f"the file cannot be read ({reason})", "damaged") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._resources.close()

"""What of a data set is versioned, and where it lies."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skincli.config.data import DataConfig, SourceName
from skincli.data.raw import folder_paths
from skincli.data.storage import SetFolder

# The sources whose images are files of their own.
_LOOSE: Final[tuple[SourceName, ...]] = ("folder", "isic")


@dataclass(frozen=True, slots=True)
class Tracked:
    """Absolute paths. `raw` are the raw set, or the user's own images and CSV; each has a pointer.

    `made` are what `prepare` makes of it: packs, splits, and what it saw of images in archives. Of
    images that are files of their own it goes by their times, which are others after a pull.
    `here` is the working folder, where `dvc.yaml` lies.
    """

    here: Path
    folder: SetFolder
    raw: tuple[Path, ...]
    made: tuple[Path, ...]

    @classmethod
    def of(cls, data: DataConfig) -> "Tracked":
        """Raises DataError for data=folder without a folder."""
        folder = SetFolder(Path(os.path.normpath(SetFolder.of(data).path)))
        seen = () if data.source in _LOOSE else (folder.inspected,)
        own = _own_files(data) if data.source == "folder" else (folder.raw,)
        return cls(
            here=Path.cwd(),
            folder=folder,
            raw=tuple(Path(os.path.normpath(path)) for path in own),
            made=(*seen, folder.prepared, folder.splits),
        )

    def relative(self, path: Path) -> str:
        """A path as `dvc.yaml` and `dvc.lock` write it."""
        return Path(os.path.relpath(path, self.here)).as_posix()


def _own_files(data: DataConfig) -> tuple[Path, ...]:
    """The user's images and CSV, which a pull has yet to bring perhaps. Raises DataError."""
    if data.folder.images is None:
        folder_paths(data)  # says so
    named = (data.folder.images, data.folder.metadata)
    return tuple(Path(path).absolute() for path in named if path is not None)

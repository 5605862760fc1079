"""Which files are images, by their names."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from skincli.errors import DataError
from skincli.imaging import IMAGE_SUFFIXES


def plain_name(name: str) -> PurePosixPath:
    """A file name without its folders, whichever way its slashes lean."""
    return PurePosixPath(PurePosixPath(name.replace("\\", "/")).name)


def is_image_name(name: str) -> bool:
    """Whether a name is an image's; `._name.jpg` is what macOS adds to archives."""
    plain = plain_name(name)
    return plain.suffix.lower() in IMAGE_SUFFIXES and not plain.name.startswith(".")


def image_files(folder: Path) -> Iterator[Path]:
    """Every image under `folder`, in the order of names. Hidden folders are left out.

    Links are followed, but no folder is entered twice. Raises DataError for a folder that cannot
    be read: its images would be missing without a word.
    """
    entered: set[Path] = set()
    for parent, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        real = Path(parent).resolve()
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = (Path(parent, name) for name in sorted(names) if is_image_name(name))
        yield from (path for path in paths if path.is_file())


def _refuse(error: OSError) -> None:
    raise DataError(f"the folder `{error.filename}` cannot be read: {error.strerror}") from None

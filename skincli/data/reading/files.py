"""Which files are images, by their names."""

import os
from collections.abc import Iterator
from pathlib import Path

from skincli.errors import DataError
from skincli.imaging import IMAGE_SUFFIXES


def is_image_name(name: str) -> bool:
    """Whether a name is an image's; `._name.jpg` is what macOS adds to archives."""
    plain = _plain_name(name)
    suffix = plain[plain.rfind(".") :].lower()
    return suffix in IMAGE_SUFFIXES and not plain.startswith(".")


def image_id_of(name: str) -> str:
    """A file name without its folder, and without its suffix where that is an image's."""
    plain = _plain_name(name)
    return plain.rpartition(".")[0] if is_image_name(plain) else plain


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


def class_folder_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every image in the subfolders of `folder`; its id is the path from there, without suffix.

    Raises DataError as `image_files` does.
    """
    for path in image_files(folder):
        if path.parent != folder:
            yield path.relative_to(folder).with_suffix("").as_posix(), path


def _plain_name(name: str) -> str:
    """A file name without its folders, whichever way its slashes lean."""
    return name.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _refuse(error: OSError) -> None:
    raise DataError(f"the folder `{error.filename}` cannot be read: {error.strerror}") from None

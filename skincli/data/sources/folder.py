"""A user's own images, which stay where they are."""

from pathlib import Path

from skincli.config.data import DataConfig
from skincli.data.raw import folder_paths
from skincli.data.sources.base import count_rows
from skincli.imaging import IMAGE_SUFFIXES
from skincli.progress import Progress


def origin(data: DataConfig) -> str:
    return str(folder_paths(data)[0])


def fill(staging: Path, data: DataConfig, progress: Progress) -> bool:
    return False


def may_keep(name: str, data: DataConfig) -> bool:
    return False


def licence(raw: Path, data: DataConfig) -> str:
    return data.folder.licence


def count_images(raw: Path, data: DataConfig) -> int:
    images, metadata = folder_paths(data)
    if metadata is not None:
        return count_rows(metadata)
    return sum(path.suffix.lower() in IMAGE_SUFFIXES for path in images.rglob("*"))

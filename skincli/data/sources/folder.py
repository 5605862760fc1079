"""A user's own images, which stay where they are."""

from pathlib import Path

from skincli.config.data import DataConfig
from skincli.data.raw import folder_paths
from skincli.data.reading.table import class_folder_rows, csv_rows
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
    rows = csv_rows(metadata, data.folder.columns) if metadata else class_folder_rows(images)
    return sum(1 for _ in rows)

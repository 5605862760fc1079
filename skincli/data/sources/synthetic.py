"""Drawn lesions, for trying everything out."""

from pathlib import Path

from skincli.config.data import DataConfig
from skincli.data.raw import METADATA
from skincli.data.sources.base import count_rows
from skincli.data.synthetic.draw import draw_set
from skincli.progress import Progress


def origin(data: DataConfig) -> str:
    return f"drawn by skincli (seed {data.synthetic.seed})"


def fill(staging: Path, data: DataConfig, progress: Progress) -> bool:
    draw_set(staging, data.synthetic, progress)
    return True


def may_keep(name: str, data: DataConfig) -> bool:
    return False  # drawing writes into its files anew


def licence(raw: Path, data: DataConfig) -> str:
    return "synthetic"


def count_images(raw: Path, data: DataConfig) -> int:
    return count_rows(raw / METADATA)

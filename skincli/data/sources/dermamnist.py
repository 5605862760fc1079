"""DermaMNIST from Zenodo, or a mirror of it: one npz with images, labels and official parts.

Yang et al. 2023 (doi:10.1038/s41597-022-01721-8); the corrected and extended sets are by Abhishek,
Jain, Hamarneh 2025 (doi:10.1038/s41597-025-04382-5).
"""

from pathlib import Path
from typing import Final

import numpy as np

from skincli.config.data import DataConfig
from skincli.data.download.mirror import origin_of
from skincli.data.download.zenodo import CORRECTED, OFFICIAL, PUBLISHED, zenodo_file
from skincli.data.raw import npz_name
from skincli.data.sources.base import fill_published
from skincli.progress import Progress

_LICENCE: Final = "CC BY-NC 4.0"


def origin(data: DataConfig) -> str:
    if data.mirror:
        return origin_of(data.mirror)
    return f"record {_record(data)} at {data.download.zenodo}"


def fill(staging: Path, data: DataConfig, progress: Progress) -> bool:
    name = npz_name(data.dermamnist)
    return fill_published(
        staging,
        data,
        progress,
        published={name: PUBLISHED.get(name)},
        find=lambda web: [zenodo_file(web, _record(data), name, progress)],
    )


def may_keep(name: str, data: DataConfig) -> bool:
    return name == npz_name(data.dermamnist)


def licence(raw: Path, data: DataConfig) -> str:
    return _LICENCE


def count_images(raw: Path, data: DataConfig) -> int:
    """Counted by the labels: reading the images would take a gigabyte of memory."""
    with np.load(raw / npz_name(data.dermamnist), allow_pickle=False) as arrays:
        return sum(len(arrays[key]) for key in arrays.files if key.endswith("_labels"))


def _record(data: DataConfig) -> int:
    return OFFICIAL if data.dermamnist.variant == "official" else CORRECTED

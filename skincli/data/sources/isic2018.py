"""The ISIC 2018 Task 3 test set, which Harvard Dataverse keeps beside HAM10000."""

from pathlib import Path
from typing import Final

from skincli.config.data import DataConfig
from skincli.data.download.dataverse import DOI, PUBLISHED, dataverse_files
from skincli.data.download.mirror import origin_of
from skincli.data.raw import ISIC2018
from skincli.data.sources.base import count_rows, fill_published
from skincli.progress import Progress

_LICENCE: Final = "CC BY-NC 4.0"


def origin(data: DataConfig) -> str:
    return origin_of(data.mirror) if data.mirror else f"{DOI} at {data.download.dataverse}"


def fill(staging: Path, data: DataConfig, progress: Progress) -> bool:
    published = {name: PUBLISHED[name].md5 for name in ISIC2018}
    return fill_published(
        staging,
        data,
        progress,
        published,
        find=lambda web: dataverse_files(web, ISIC2018, progress),
    )


def may_keep(name: str, data: DataConfig) -> bool:
    return name in ISIC2018


def licence(raw: Path, data: DataConfig) -> str:
    return _LICENCE


def count_images(raw: Path, data: DataConfig) -> int:
    return count_rows(raw / ISIC2018[1])

"""HAM10000 from Harvard Dataverse (doi:10.7910/DVN/DBW86T), or a mirror of it.

Tschandl, Rosendahl, Kittler 2018 (doi:10.1038/sdata.2018.161).
"""

from pathlib import Path
from typing import Final

from skincli.config.data import DataConfig
from skincli.data.download.checksums import md5_of
from skincli.data.download.dataverse import DOI, PUBLISHED, dataverse_files
from skincli.data.download.mirror import origin_of
from skincli.data.raw import FILES, METADATA, SEGMENTATIONS
from skincli.data.sources.base import count_rows, fill_published
from skincli.progress import Progress

_LICENCE: Final = "CC BY-NC 4.0"


def origin(data: DataConfig) -> str:
    return origin_of(data.mirror) if data.mirror else f"{DOI} at {data.download.dataverse}"


def fill(staging: Path, data: DataConfig, progress: Progress) -> bool:
    names = _names(data)
    published = {name: PUBLISHED[name].md5 for name in names}
    verified = fill_published(
        staging,
        data,
        progress,
        published,
        find=lambda web: dataverse_files(web, names, progress),
    )
    if md5_of(staging / METADATA) != PUBLISHED[METADATA].md5:
        progress.warn(f"{METADATA} is not the published file: its MD5 differs")
    return verified


def may_keep(name: str, data: DataConfig) -> bool:
    return name in _names(data)


def licence(raw: Path, data: DataConfig) -> str:
    return _LICENCE


def count_images(raw: Path, data: DataConfig) -> int:
    return count_rows(raw / METADATA)


def _names(data: DataConfig) -> tuple[str, ...]:
    return (*FILES, SEGMENTATIONS) if "segmentations" in data.include else FILES

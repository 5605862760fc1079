"""What the modules of this package have in common."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from skincli.config.data import DataConfig
from skincli.data.download.batch import download
from skincli.data.download.mirror import take_from_mirror
from skincli.data.download.transfer import RemoteFile
from skincli.data.download.web import Web, open_web
from skincli.progress import Progress


class Source(Protocol):
    """A place that images come from. `raw` and `staging` are folders with its files."""

    def origin(self, data: DataConfig) -> str:
        """The place in words. Raises DataError when it is not set or not there."""
        ...

    def fill(self, staging: Path, data: DataConfig, progress: Progress) -> bool:
        """Put the raw files into `staging`, going on with those that are there.

        Whether they were checked against known hashes.
        """
        ...

    def may_keep(self, name: str, data: DataConfig) -> bool:
        """Whether a file of an earlier fetch from the same origin is what a new one would bring."""
        ...

    def licence(self, raw: Path, data: DataConfig) -> str: ...

    def count_images(self, raw: Path, data: DataConfig) -> int: ...


def fill_published(
    staging: Path,
    data: DataConfig,
    progress: Progress,
    published: Mapping[str, str | None],
    find: Callable[[Web], list[RemoteFile]],
) -> bool:
    """Bring files, given by name with their published MD5, from the mirror or where `find` says.

    Whether all of them were checked against an MD5.
    """
    if data.mirror is not None:
        return take_from_mirror(data.mirror, published, staging, data, progress)
    with open_web(data.download) as web:
        files = find(web)
        download(web, files, staging, progress)
    return all(file.md5 is not None for file in files)


def count_rows(path: Path) -> int:
    """The rows of a CSV, all but its header."""
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        return max(sum(1 for row in csv.reader(stream) if row) - 1, 0)

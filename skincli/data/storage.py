"""Where a data set lies on disk, and how its files are written: beside, then renamed.

::

    <data.root>/<name>/raw/            what fetch made, with source.json
    <data.root>/<name>/inspected/      what every image is: its SHA-256, size and thumbnail
    <data.root>/<name>/splits/<key>/   the versions of a split: v1, v2, …
    <data.root>/<name>/prepared/<key>/ images.npy, images.csv, chunks.csv, manifest.json
    <data.root>/<name>/report.html     the page of `data info --report`
    <data.root>/<name>/rejected.csv    the rows that were left out, and why
    <data.root>/<name>/stamps.json     SHA-256 of files that have not changed since
"""

import csv
import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skincli.config.data import DataConfig
from skincli.errors import DataError, SkincliError
from skincli.progress import Progress


@dataclass(frozen=True, slots=True)
class SetFolder:
    """The folder of one data set."""

    path: Path

    @classmethod
    def of(cls, data: DataConfig) -> "SetFolder":
        return cls(Path(data.root).absolute() / data.set_name)

    @property
    def raw(self) -> Path:
        return self.path / "raw"

    @property
    def prepared(self) -> Path:
        return self.path / "prepared"

    @property
    def inspected(self) -> Path:
        return self.path / "inspected"

    @property
    def unpacked(self) -> Path:
        return self.path / "unpacked"

    @property
    def splits(self) -> Path:
        return self.path / "splits"

    @property
    def rejected(self) -> Path:
        return self.path / "rejected.csv"

    @property
    def stamps(self) -> Path:
        return self.path / "stamps.json"

    @contextmanager
    def locked(self, progress: Progress) -> Iterator[None]:
        """Hold the set's lock: two commands may want the same files at the same time.

        The kernel lets go of it when the process ends, however it ends.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            stream = (self.path / ".lock").open("w")
        except OSError as error:
            raise DataError(
                f"`{self.path}` cannot be written: {error.strerror}", "set data.root=FOLDER"
            ) from None
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress.note(f"waiting for another command that works on `{self.path}`")
                fcntl.flock(stream, fcntl.LOCK_EX)
            yield


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON under its final name in one step."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV under its final name in one step."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    partial.replace(path)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def own_file(path: Path) -> None:
    """Make a file that may be written into of one that is shared: with DVC's cache, for one."""
    if path.is_symlink() or (path.is_file() and path.stat().st_nlink > 1):
        partial = path.with_name(path.name + ".partial")
        shutil.copyfile(path, partial)
        partial.replace(path)


def put_in_place(partial: Path, target: Path) -> None:
    """Give a finished folder its final name, in the place of an older one."""
    for file in partial.iterdir():
        if file.is_file():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())
    shutil.rmtree(target, ignore_errors=True)
    partial.replace(target)


def require_space(folder: Path, needed: int) -> None:
    """Raises SkincliError when the disk of `folder` has fewer than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise SkincliError(
            f"`{folder}` needs {needed / 1e6:,.0f} MB but its disk has {free / 1e6:,.0f} MB free",
            "free some space, or set data.root to a folder on a larger disk",
        )

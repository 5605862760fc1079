"""Opening what was fetched: its images and its rows."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skincli.config.data import ColumnsConfig
from skincli.config.schema import Config
from skincli.data.raw import (
    ARCHIVES,
    ISIC2018,
    METADATA,
    SourceRecord,
    folder_paths,
    npz_name,
    read_record,
    serves,
)
from skincli.data.reading.images import ImageStore
from skincli.data.reading.metadata import Metadata, check_rows
from skincli.data.reading.npz import open_npz
from skincli.data.reading.table import RawRow, class_folder_rows, csv_rows
from skincli.data.storage import SetFolder
from skincli.errors import DataError
from skincli.imaging import Limits

_CELLS: Final = ColumnsConfig()


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A fetched data set, ready to be read."""

    record: SourceRecord
    images: ImageStore
    metadata: Metadata


@contextmanager
def open_source(config: Config) -> Iterator[OpenSource]:
    """Open what was fetched, its rows checked.

    Raises DataError when it is absent, was fetched differently, or holds nothing that can be used.
    """
    folder = SetFolder.of(config.data)
    record = _record(config, folder)
    images, raw_rows = _open(config, folder)
    with images:
        metadata = check_rows(raw_rows, images)
        yield OpenSource(record, images, metadata)


def _record(config: Config, folder: SetFolder) -> SourceRecord:
    data, record = config.data, read_record(folder.raw)
    command = f"`skincli data fetch data={data.source}`"
    if record is None:
        if folder.raw.with_name("raw.dvc").exists():  # the pointer of a version
            command = "`skincli data pull`"
        raise DataError(f"there are no data in `{folder.raw}` yet", f"get them: {command}")
    if not serves(record, data):
        raise DataError(
            f"`{folder.raw}` was fetched with other settings: {record.origin}",
            f"fetch it again with these: {command}, or keep both: set data.name=NAME",
        )
    for name, fact in record.files.items():
        path = folder.raw / name
        if not path.is_file() or path.stat().st_size != fact.bytes:
            raise DataError(f"`{path}` is missing or not as it was fetched", f"run {command}")
    return record


def _open(config: Config, folder: SetFolder) -> tuple[ImageStore, Iterator[RawRow]]:
    data, raw, limits = config.data, folder.raw, Limits.of(config.image)
    match data.source:
        case "ham10000" | "synthetic":
            archives = [raw / name for name in ARCHIVES]
            return ImageStore.of_archives(archives, limits), csv_rows(raw / METADATA, _CELLS)
        case "isic2018":
            archive, table = (raw / name for name in ISIC2018)
            return ImageStore.of_archives([archive], limits), csv_rows(table, _CELLS)
        case "isic":
            return ImageStore.of_folder(raw / "images"), csv_rows(raw / "metadata.csv", _CELLS)
        case "dermamnist":
            return _open_npz(raw / npz_name(data.dermamnist), folder.unpacked)
        case "folder":
            images, metadata = folder_paths(data)
            if metadata is None:
                return ImageStore.of_class_folders(images), class_folder_rows(images)
            return ImageStore.of_folder(images), csv_rows(metadata, data.folder.columns)


def _open_npz(path: Path, unpacked: Path) -> tuple[ImageStore, Iterator[RawRow]]:
    parts = open_npz(path, unpacked)
    entries = (entry for part in parts for entry in part.entries())
    return ImageStore(entries, ExitStack()), (row for part in parts for row in part.rows())

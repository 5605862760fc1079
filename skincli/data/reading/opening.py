"""Opening what was fetched: its images and its metadata."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from skincli.config.data import ColumnsConfig
from skincli.config.schema import Config
from skincli.data.raw import (
    ARCHIVES,
    METADATA,
    SourceRecord,
    folder_paths,
    read_record,
    settings_of,
)
from skincli.data.reading.images import ImageStore
from skincli.data.storage import SetFolder
from skincli.errors import DataError


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A fetched data set, ready to be read."""

    record: SourceRecord
    images: ImageStore
    metadata: Path
    columns: ColumnsConfig


@contextmanager
def open_source(config: Config) -> Iterator[OpenSource]:
    """Open what was fetched. Raises DataError when it is absent, or was fetched differently."""
    data = config.data
    raw = SetFolder.of(data).raw
    record = read_record(raw)
    command = f"`skincli data fetch data={data.source}`"
    if record is None:
        raise DataError(f"there are no data in `{raw}` yet", f"get them: {command}")
    if record.source != data.source or record.settings != settings_of(data):
        raise DataError(
            f"`{raw}` was fetched with other settings: {record.origin}",
            f"fetch it again with these: {command}, or keep both: set data.name=NAME",
        )
    if data.source == "folder":
        folder, metadata = folder_paths(data)
        assert metadata is not None
        store, columns = ImageStore.of_folder(folder), data.folder.columns
    else:
        _require_files(raw, record, command)
        store, columns = ImageStore.of_archives(raw / name for name in ARCHIVES), ColumnsConfig()
        metadata = raw / METADATA
    with store:
        yield OpenSource(record, store, metadata, columns)


def _require_files(raw: Path, record: SourceRecord, command: str) -> None:
    for name, fact in record.files.items():
        path = raw / name
        if not path.is_file() or path.stat().st_size != fact.bytes:
            raise DataError(f"`{path}` is missing or not as it was fetched", f"run {command}")

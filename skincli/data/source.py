"""What a data set was fetched from, and opening it again: its images and its metadata."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from skincli.config.schema import ColumnsConfig, Config, DataConfig
from skincli.data.images import ImageStore
from skincli.data.records import Source
from skincli.data.storage import SetFolder, write_json
from skincli.errors import DataError

ARCHIVES: Final = ("HAM10000_images_part_1.zip", "HAM10000_images_part_2.zip")
METADATA: Final = "HAM10000_metadata.csv"
FILES: Final = (*ARCHIVES, METADATA)
_RECORD: Final = "source.json"


@dataclass(frozen=True, slots=True)
class RawFile:
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """What `raw/source.json` holds. `settings` are those that decide what a fetch brings."""

    source: Source
    origin: str
    licence: str
    synthetic: bool
    verified: bool
    settings: dict[str, Any]
    files: dict[str, RawFile]


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A fetched data set, ready to be read."""

    record: SourceRecord
    images: ImageStore
    metadata: Path
    columns: ColumnsConfig


def settings_of(data: DataConfig) -> dict[str, Any]:
    """The settings that decide what a fetch brings, mirror aside: any mirror holds the same."""
    if data.source == "synthetic":
        return asdict(data.synthetic)
    if data.source == "folder":
        images, metadata = folder_paths(data)
        licence = data.folder.licence
        return {"images": str(images), "metadata": str(metadata), "licence": licence}
    return {}


def folder_paths(data: DataConfig) -> tuple[Path, Path]:
    """The user's own images and metadata, checked. Raises DataError."""
    images, metadata = data.folder.images, data.folder.metadata
    if images is None or metadata is None:
        raise DataError(
            "data=folder needs to know where your images and their metadata are",
            "set data.folder.images=FOLDER and data.folder.metadata=FILE.csv",
        )
    if not Path(images).is_dir():
        raise DataError(f"data.folder.images: there is no folder `{images}`")
    if not Path(metadata).is_file():
        raise DataError(f"data.folder.metadata: there is no file `{metadata}`")
    return Path(images).absolute(), Path(metadata).absolute()


def write_record(raw: Path, record: SourceRecord) -> None:
    write_json(raw / _RECORD, asdict(record))


def read_record(raw: Path) -> SourceRecord | None:
    """The record of a finished fetch, None where there is none that can be read."""
    try:
        content = json.loads((raw / _RECORD).read_text(encoding="utf-8"))
        files = {name: RawFile(**facts) for name, facts in content.pop("files").items()}
        return SourceRecord(**content, files=files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


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

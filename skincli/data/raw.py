"""What a data set was fetched from: the record that `fetch` leaves beside the files."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from skincli.config.data import DataConfig, SourceName
from skincli.data.storage import write_json
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

    source: SourceName
    origin: str
    licence: str
    synthetic: bool
    verified: bool
    settings: dict[str, Any]
    files: dict[str, RawFile]


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


def settings_of(data: DataConfig) -> dict[str, Any]:
    """The settings that decide what a fetch brings, mirror aside: any mirror holds the same."""
    match data.source:
        case "synthetic":
            return asdict(data.synthetic)
        case "isic":
            return asdict(data.isic)
        case "dermamnist":
            return asdict(data.dermamnist)
        case "folder":
            images, metadata = folder_paths(data)
            return {
                "images": str(images),
                "metadata": str(metadata) if metadata else None,
                "licence": data.folder.licence,
            }
        case "ham10000" | "isic2018":
            return {}


def folder_paths(data: DataConfig) -> tuple[Path, Path | None]:
    """The user's own images, and their metadata unless folders name the classes. Checked.

    Raises DataError.
    """
    images, metadata = data.folder.images, data.folder.metadata
    if images is None:
        raise DataError(
            "data=folder needs to know where your images are",
            "set data.folder.images=FOLDER, and data.folder.metadata=FILE.csv unless its "
            "subfolders are named after the classes",
        )
    if not Path(images).is_dir():
        raise DataError(f"data.folder.images: there is no folder `{images}`")
    if metadata is not None and not Path(metadata).is_file():
        raise DataError(f"data.folder.metadata: there is no file `{metadata}`")
    return Path(images).absolute(), Path(metadata).absolute() if metadata else None

"""What a data set was fetched from: the record that `fetch` leaves beside the files."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from skincli.config.data import DataConfig, DermamnistConfig, SourceName
from skincli.data.storage import write_json
from skincli.errors import DataError

ARCHIVES: Final = ("HAM10000_images_part_1.zip", "HAM10000_images_part_2.zip")
METADATA: Final = "HAM10000_metadata.csv"
FILES: Final = (*ARCHIVES, METADATA)
SEGMENTATIONS: Final = "HAM10000_segmentations_lesion_tschandl.zip"
ISIC2018: Final = ("ISIC2018_Task3_Test_Images.zip", "ISIC2018_Task3_Test_GroundTruth.csv")
# The SHA-256 of images that are files of their own, as `sha256sum` writes it.
IMAGE_SUMS: Final = "SHA256SUMS"
_RECORD: Final = "source.json"


@dataclass(frozen=True, slots=True)
class RawFile:
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """What `raw/source.json` holds. `settings` are those that decide what a fetch brings.

    `files` are those beside it; images in a folder of their own are in `SHA256SUMS` instead.
    """

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


def raw_files(raw: Path) -> list[Path]:
    """The files beside the record, sorted."""
    return sorted(path for path in raw.iterdir() if path.is_file() and path.name != _RECORD)


def hashes_of(raw: Path, record: SourceRecord) -> dict[Path, str]:
    """The SHA-256 of every raw file, images included, as it was when it was fetched."""
    hashes = {raw / name: fact.sha256 for name, fact in record.files.items()}
    sums = raw / IMAGE_SUMS
    if sums in hashes and sums.is_file():
        lines = (line.split(maxsplit=1) for line in sums.read_text(encoding="utf-8").splitlines())
        hashes |= {raw / name: digest for digest, name in lines}
    return hashes


def serves(record: SourceRecord, data: DataConfig) -> bool:
    """Whether what was fetched is what the settings ask for; of HAM10000 it may be more."""
    if record.source != data.source:
        return False
    wanted = settings_of(data)
    return record.settings == wanted or (data.source == "ham10000" and not wanted)


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
        case "ham10000":
            return {"include": ["segmentations"]} if "segmentations" in data.include else {}
        case "isic2018":
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


def npz_name(settings: DermamnistConfig) -> str:
    """The file that MedMNIST, or the authors of the corrected sets, publish."""
    if settings.variant != "official":
        return f"dermamnist_{settings.variant}_{settings.size}.npz"
    return "dermamnist.npz" if settings.size == 28 else f"dermamnist_{settings.size}.npz"

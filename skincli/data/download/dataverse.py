"""HAM10000 on Harvard Dataverse: what its files are called there, and where their bytes are.

Facts of version 4.0 (doi:10.7910/DVN/DBW86T), used where the server's own list cannot be had.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from skincli.data.download.answers import UnreachableError
from skincli.data.download.asking import ask_json
from skincli.data.download.transfer import RemoteFile
from skincli.data.download.web import Web
from skincli.errors import SkincliError
from skincli.progress import Progress

DOI: Final = "doi:10.7910/DVN/DBW86T"


@dataclass(frozen=True, slots=True)
class DataverseFile:
    """A file of the dataset. `tabular`: a CSV that Dataverse keeps converted, and as it was."""

    id: int
    md5: str | None
    bytes: int | None = None
    tabular: bool = False


PUBLISHED: Final[Mapping[str, DataverseFile]] = {
    "HAM10000_images_part_1.zip": DataverseFile(
        3172585, "4639bfa73ab251610530a97c898e6e46", 1_366_522_108
    ),
    "HAM10000_images_part_2.zip": DataverseFile(
        3172584, "da43d6cc50f6613013be07e8986b384b", 1_403_566_547
    ),
    "HAM10000_metadata.csv": DataverseFile(
        4338392, "8f85fb1aa29d80a2797247e434deb79d", tabular=True
    ),
    "HAM10000_segmentations_lesion_tschandl.zip": DataverseFile(
        3838943, "6e8d252e09cfdb0189199f15985a5b84", 10_808_743
    ),
    "ISIC2018_Task3_Test_Images.zip": DataverseFile(3855824, "0488b6f65849e310857d9207daa55a21"),
    "ISIC2018_Task3_Test_GroundTruth.csv": DataverseFile(
        6924466, "2b5663aacc9644740f27e355cf7f369a", tabular=True
    ),
}


def dataverse_files(web: Web, names: Sequence[str], progress: Progress) -> list[RemoteFile]:
    """Where to get files of the dataset, by the server's own list as far as that goes.

    Raises SkincliError when the server cannot be reached.
    """
    listed = _listed(web, progress)
    found = []
    for name in names:
        file = _by_label(listed, name)
        if file is None and listed:
            progress.warn(f"the dataset's list has no {name}: taking it as it was in version 4.0")
        found.append(_remote(web, name, file or PUBLISHED[name]))
    return found


def _listed(web: Web, progress: Progress) -> dict[str, DataverseFile]:
    """The files of the dataset by label; none, with a warning, when the list cannot be had."""
    address = web.settings.dataverse.rstrip("/")
    url = f"{address}/api/datasets/:persistentId/?persistentId={DOI}"
    try:
        content = ask_json(web, url, "the dataset's list of files")
        files = content["data"]["latestVersion"]["files"]
        return {file["label"]: _described(file["dataFile"]) for file in files}
    except UnreachableError:
        raise
    except (SkincliError, KeyError, TypeError) as error:
        reason = error.message if isinstance(error, SkincliError) else "it has another form"
        progress.warn(f"no list of files from {address}, taking those of version 4.0: {reason}")
        return {}


def _described(data_file: Mapping[str, Any]) -> DataverseFile:
    """The size of a tabular file is that of its conversion, its MD5 that of the original."""
    checksum = data_file.get("checksum") or {}
    md5 = data_file.get("md5") or (checksum.get("value") if checksum.get("type") == "MD5" else None)
    tabular = bool(data_file.get("tabularData") or data_file.get("originalFileFormat"))
    size = None if tabular else data_file.get("filesize")
    return DataverseFile(int(data_file["id"]), str(md5).lower() if md5 else None, size, tabular)


def _by_label(listed: Mapping[str, DataverseFile], name: str) -> DataverseFile | None:
    """Tabular files are listed under their stem, with `.tab` or nothing after it."""
    if name in listed:
        return listed[name]
    stem = Path(name).stem
    same = (listed.get(f"{stem}.tab"), listed.get(stem))
    return next((file for file in same if file is not None and file.tabular), None)


def _remote(web: Web, name: str, file: DataverseFile) -> RemoteFile:
    original = "?format=original" if file.tabular else ""
    url = f"{web.settings.dataverse.rstrip('/')}/api/access/datafile/{file.id}{original}"
    return RemoteFile(name, url, file.bytes, file.md5)

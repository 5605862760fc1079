"""The versions of a split on disk. Each is a folder that is written once and never changed.

::

    splits/<key>/v1/  images.csv      a row for every image, with its part
                      duplicates.csv  the pairs that were found
                      split.json      what it was made for, and the SHA-256 of the two
"""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, Final

from skincli.bundle import file_sha256
from skincli.config.data import DataConfig
from skincli.data.fingerprints import digest_of
from skincli.data.records import DuplicatePair
from skincli.data.splitting.rows import SPLIT_COLUMNS, SplitRow, SplitVersion
from skincli.data.storage import put_in_place, read_csv, write_csv, write_json
from skincli.errors import DataError

_IMAGES: Final = "images.csv"
_DUPLICATES: Final = "duplicates.csv"
_SPLIT: Final = "split.json"
_PAIR: Final = tuple(field.name for field in fields(DuplicatePair))


def split_key(data: DataConfig) -> str:
    """The name of the folder that holds all versions of a split with these settings."""
    if data.split == "official":
        return "official"
    return f"seed{data.parts.seed}-{digest_of(asdict(data.parts))[:8]}"


def read_versions(folder: Path) -> list[SplitVersion]:
    """All versions in a folder, oldest first. Raises DataError for one that cannot be read."""
    numbers = sorted(int(path.name[1:]) for path in folder.glob("v*") if path.name[1:].isdigit())
    return [_read(folder / f"v{number}") for number in numbers]


def write_version(folder: Path, version: SplitVersion, settings: Mapping[str, Any]) -> SplitVersion:
    """Store a version under `folder`; what it depends on goes beside it."""
    target = folder / f"v{version.version}"
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write_csv(partial / _IMAGES, SPLIT_COLUMNS, _cells(version.rows, SPLIT_COLUMNS))
    write_csv(partial / _DUPLICATES, _PAIR, _cells(version.duplicates, _PAIR))
    content = {
        "version": version.version,
        "official": version.official,
        "settings": dict(settings),
        "inputs": version.inputs,
        "files": {name: file_sha256(partial / name) for name in (_IMAGES, _DUPLICATES)},
    }
    write_json(partial / _SPLIT, content)
    put_in_place(partial, target)
    return replace(version, folder=target)


def _cells(items: Iterable[object], names: Sequence[str]) -> list[list[object]]:
    return [[getattr(item, name) for name in names] for item in items]


def _read(folder: Path) -> SplitVersion:
    try:
        content = json.loads((folder / _SPLIT).read_text(encoding="utf-8"))
        rows = [{**record, "since": int(record["since"])} for record in read_csv(folder / _IMAGES)]
        pairs = [
            {**record, "difference": float(record["difference"])}
            for record in read_csv(folder / _DUPLICATES)
        ]
        files: dict[str, str] = content["files"]
        return SplitVersion(
            folder=folder,
            version=int(content["version"]),
            inputs=str(content["inputs"]),
            official=bool(content["official"]),
            rows=tuple(SplitRow(**row) for row in rows),  # type: ignore[arg-type]
            duplicates=tuple(DuplicatePair(**pair) for pair in pairs),  # type: ignore[arg-type]
            altered=any(file_sha256(folder / name) != sha for name, sha in files.items()),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"the split in `{folder}` cannot be read: {error!r}",
            "restore it from a copy; removing the folder would deal its lesions anew",
        ) from None

"""Pointers: the small files that git keeps in place of the data, and what they say."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from skincli.errors import DataError
from skincli.tracking.writing import write_atomically

# The part of a pointer's `meta:` that is ours; DVC keeps it and does not look at it.
_OURS: Final = "skincli"


@dataclass(frozen=True, slots=True)
class Pinned:
    """A file or folder as DVC knows it: `path` as its pointer calls it, `files` None for a file."""

    path: str
    md5: str
    size: int
    files: int | None


@dataclass(frozen=True, slots=True)
class Marks:
    """What skincli knew of a version when it was made; empty where it did not.

    `contents` stands for all that it reads out of the raw set; `pack` and `split` are the name and
    the fingerprint of those that were versioned along.
    """

    contents: str = ""
    pack: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True)
class Pointer:
    """A `.dvc` file."""

    file: Path
    pinned: Pinned
    marks: Marks


def pointer_file(target: Path) -> Path:
    """Where DVC keeps the pointer to a file or folder."""
    return target.with_name(f"{target.name}.dvc")


def read_pointer(target: Path) -> Pointer | None:
    """The pointer to `target`, None where there is none. Raises DataError for a damaged one."""
    file = pointer_file(target)
    if not file.is_file():
        return None
    content = read_yaml(file)
    try:
        (out,) = content["outs"]
        marks = Marks(**((content.get("meta") or {}).get(_OURS) or {}))
        return Pointer(file, pinned(out), marks)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(file, repr(error)) from None


def write_pointer(pointer: Pointer) -> None:
    """Write a pointer as `dvc add` would, with our part of its `meta:`. Raises OSError."""
    out = {**as_out(pointer.pinned), "path": pointer.pinned.path}
    write_yaml(pointer.file, {"outs": [out], "meta": {_OURS: asdict(pointer.marks)}})


def mark(file: Path, marks: Marks) -> None:
    """Say in a pointer that DVC has written what we know of the version. Raises OSError."""
    content = read_yaml(file)
    meta = {**(content.get("meta") or {}), _OURS: asdict(marks)}
    if content.get("meta") != meta:
        write_yaml(file, {**content, "meta": meta})


def pinned(out: Mapping[str, Any]) -> Pinned:
    """An entry of `outs:`. Raises KeyError, TypeError or ValueError when it is none."""
    files = out.get("nfiles")
    return Pinned(str(out["path"]), str(out["md5"]), int(out["size"]), files and int(files))


def as_out(found: Pinned) -> dict[str, Any]:
    files = {} if found.files is None else {"nfiles": found.files}
    return {"md5": found.md5, "size": found.size, **files, "hash": "md5"}


def read_yaml(file: Path) -> dict[str, Any]:
    """A mapping, empty for no file. Raises DataError when the file is none."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _damaged(file, str(error)) from None
    if not isinstance(content, dict):
        raise _damaged(file, "it holds no mapping")
    return content


def write_yaml(file: Path, content: Mapping[str, Any], head: str = "") -> None:
    """Write plain data in one step. Raises OSError."""
    plain = json.loads(json.dumps(content))
    write_atomically(file, head + yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))


def _damaged(file: Path, reason: str) -> DataError:
    first = reason.splitlines()[0]
    return DataError(f"`{file}` cannot be read: {first}", "restore it from git")

"""Which version was last put in place or made here: a note in DVC's `tmp`, which git ignores.

What differs from it was done by the user since. There is none while files are being placed, so
that a pull that was cut off is not taken for their doing.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from skincli.data.storage import write_json
from skincli.versioning.objects import read_list
from skincli.versioning.recording import read_pointers
from skincli.versioning.workspace import Workspace


def note_placed(workspace: Workspace) -> None:
    """The raw set is now as its pointers say. Raises OSError."""
    pointers, tracked = read_pointers(workspace.tracked), workspace.tracked
    md5s = {
        _name(workspace, path): pointer.pinned.md5
        for path, pointer in zip(tracked.raw, pointers, strict=True)
    }
    file = _note(workspace)
    file.parent.mkdir(exist_ok=True)
    write_json(file, md5s)


def forget_placed(workspace: Workspace) -> None:
    _note(workspace).unlink(missing_ok=True)


def placed_files(workspace: Workspace, cache: Path) -> dict[Path, str] | None:
    """The files of the version in place and their MD5s, None where that is not known."""
    try:
        md5s = json.loads(_note(workspace).read_text(encoding="utf-8"))
        parts = {path: md5s[_name(workspace, path)] for path in workspace.tracked.raw}
        return dict(file for path, md5 in parts.items() for file in _files(cache, path, md5))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _files(cache: Path, path: Path, md5: str) -> Iterator[tuple[Path, str]]:
    if not md5.endswith(".dir"):
        yield path, md5
        return
    for name, each in read_list(cache, md5).items():
        yield path / name, each


def _name(workspace: Workspace, path: Path) -> str:
    return os.path.relpath(path, workspace.top)


def _note(workspace: Workspace) -> Path:
    return workspace.top / ".dvc" / "tmp" / f"skincli-{workspace.tracked.folder.path.name}.json"

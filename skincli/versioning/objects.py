"""DVC's cache: a file for every object, called by its MD5; a folder is a list of them."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skincli.versioning.pointers import Pinned, pinned
from skincli.versioning.recording import locked_stage, read_pointers
from skincli.versioning.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Missing:
    """An object that the cache lacks: what it is called here, its MD5, and the list that has it."""

    name: str
    md5: str
    listed_in: str


def missing_objects(workspace: Workspace, cache: Path) -> list[Missing]:
    """What the cache lacks of the present version."""
    pointers = read_pointers(workspace.tracked)
    stage = locked_stage(workspace.tracked, pointers)
    parts = [*(pointer.pinned for pointer in pointers), *made(stage)]
    return list(lacking(cache, parts))


def made(stage: dict[str, Any]) -> tuple[Pinned, ...]:
    """What a stage of `dvc.lock` made."""
    return tuple(pinned(out) for out in stage.get("outs", ()))


def lacking(cache: Path, parts: Iterable[Pinned]) -> Iterator[Missing]:
    """The objects of files and folders that `cache` has not got."""
    for part in parts:
        listing = cache / object_key(part.md5)
        if not listing.is_file():
            yield Missing(part.path, part.md5, part.md5)
        elif part.md5.endswith(".dir"):
            for entry in json.loads(listing.read_text(encoding="utf-8")):
                if not (cache / object_key(entry["md5"])).is_file():
                    yield Missing(f"{part.path}/{entry['relpath']}", entry["md5"], part.md5)


def object_key(md5: str) -> str:
    """Where an object lies, below a cache or a remote."""
    return f"files/md5/{md5[:2]}/{md5[2:]}"

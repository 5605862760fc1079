"""DVC's cache: a file for every object, called by its MD5; a folder is a list of them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import Any

from skincli.data.download.checksums import md5_of
from skincli.versioning.pointers import Pinned, pinned
from skincli.versioning.recording import locked_stage, read_pointers
from skincli.versioning.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Object:
    """Where an object of a version belongs, its name there, its MD5, and the list that has it."""

    path: Path
    name: str
    md5: str
    listed_in: str

    @property
    def is_list(self) -> bool:
        return self.md5.endswith(".dir")


def objects_of(workspace: Workspace, cache: Path) -> Iterator[Object]:
    """The objects of the present version; of a folder whose list `cache` has not, the list."""
    for path, part in _parts(workspace):
        whole = Object(path, part.path, part.md5, part.md5)
        yield whole
        if whole.is_list and is_cached(cache, whole):
            for name, each in read_list(cache, part.md5).items():
                yield Object(path / name, f"{part.path}/{name}", each, part.md5)


def missing_objects(workspace: Workspace, cache: Path) -> list[Object]:
    """What the cache lacks of the present version."""
    return [each for each in objects_of(workspace, cache) if not is_cached(cache, each)]


def is_cached(cache: Path, wanted: Object) -> bool:
    """Whether the cache has an object; a list, which is small, is read to see that it is whole."""
    file = cache / object_key(wanted.md5)
    if not file.is_file():
        return False
    return not wanted.is_list or md5_of(file) == wanted.md5.removesuffix(".dir")


def read_list(cache: Path, listing: str) -> dict[str, str]:
    """The files of a folder and their MD5s. Raises OSError where `cache` has no such list."""
    text = (cache / object_key(listing)).read_text(encoding="utf-8")
    return {entry["relpath"]: entry["md5"] for entry in json.loads(text)}


def list_md5(files: Mapping[str, str]) -> str:
    """What DVC calls the list of a folder's files, by their MD5s: that of the list as JSON."""
    entries = [{"md5": files[name], "relpath": name} for name in sorted(files)]
    return md5(json.dumps(entries).encode(), usedforsecurity=False).hexdigest() + ".dir"


def made(stage: dict[str, Any]) -> tuple[Pinned, ...]:
    """What a stage of `dvc.lock` made."""
    return tuple(pinned(out) for out in stage.get("outs", ()))


def object_key(name: str) -> str:
    """Where an object lies, below a cache or a remote."""
    return f"files/md5/{name[:2]}/{name[2:]}"


def _parts(workspace: Workspace) -> Iterator[tuple[Path, Pinned]]:
    tracked, pointers = workspace.tracked, read_pointers(workspace.tracked)
    for path, pointer in zip(tracked.raw, pointers, strict=True):
        yield path, pointer.pinned
    for part in made(locked_stage(tracked, pointers)):
        yield tracked.here / part.path, part

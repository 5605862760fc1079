"""What of the data at hand is not as the pointers say."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from skincli.data.download.checksums import md5_of
from skincli.versioning.objects import list_md5, object_key, objects_of
from skincli.versioning.placed import placed_files
from skincli.versioning.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Changes:
    """Files as `dvc.yaml` in `here` would write them; `unpushed` where the remote was asked.

    A file that was renamed is deleted under one name and added under the other.
    """

    added: tuple[str, ...]
    modified: tuple[str, ...]
    deleted: tuple[str, ...]
    unpushed: tuple[str, ...]
    here: Path

    def touch(self, roots: Sequence[Path]) -> bool:
        """Whether anything is changed that lies in one of `roots`."""
        changed = [self.here / name for name in (*self.added, *self.modified, *self.deleted)]
        return any(_lies_in(file, root) for file in changed for root in roots)


def find_changes(workspace: Workspace, *, ask_remote: bool = False) -> Changes:
    """Compare the set with its pointers. Raises SkincliError where the remote does not answer."""
    option = ["--not-in-remote"] if ask_remote else []
    told = json.loads(workspace.dvc.run("data", "status", "--json", "--granular", *option))
    here, unpushed = told.get("uncommitted", {}), told.get("not_in_remote", ())
    renamed = here.get("renamed", ())
    added = [*here.get("added", ()), *(each["new"] for each in renamed)]
    deleted = [*here.get("deleted", ()), *(each["old"] for each in renamed)]
    changed = [*added, *here.get("modified", ()), *deleted]
    return Changes(
        added=_ours(workspace, added, changed),
        modified=_ours(workspace, here.get("modified", ()), changed),
        deleted=_ours(workspace, deleted, changed),
        unpushed=_ours(workspace, unpushed, unpushed),
        here=workspace.tracked.here,
    )


def unsaved(workspace: Workspace, cache: Path) -> list[str]:
    """The files of the raw set and the splits that are in no version that the cache knows.

    So are those that the user has removed, renamed or exchanged since a version was put in place,
    unless the raw set is as in another version now.
    """
    tracked, changes = workspace.tracked, find_changes(workspace)
    roots = (*tracked.raw, tracked.folder.splits)
    changed = [tracked.here / name for name in (*changes.added, *changes.modified)]
    md5s = {
        file: md5_of(file)
        for file in changed
        if file.is_file() and any(_lies_in(file, root) for root in roots)
    }
    lost = [file for file, md5 in md5s.items() if not (cache / object_key(md5)).is_file()]
    return [tracked.relative(file) for file in lost or _rearranged(workspace, cache, md5s)]


def _rearranged(workspace: Workspace, cache: Path, changed: Mapping[Path, str]) -> list[Path]:
    """The raw files that are neither as they were placed nor as they are about to be."""
    raw, placed = workspace.tracked.raw, placed_files(workspace, cache)
    if placed is None:
        return []
    files = {each.path: each.md5 for each in objects_of(workspace, cache) if not each.is_list}
    wanted = {file: md5 for file, md5 in files.items() if any(_lies_in(file, r) for r in raw)}
    here = {file: md5 for file, md5 in wanted.items() if file.is_file()}
    here |= {file: md5 for file, md5 in changed.items() if any(_lies_in(file, r) for r in raw)}
    if all(_is_version(cache, root, here) for root in raw):
        return []
    return sorted(
        file
        for file in placed.keys() | here.keys()
        if here.get(file) not in (placed.get(file), wanted.get(file))
        and any(root.exists() and _lies_in(file, root) for root in raw)
    )


def _is_version(cache: Path, root: Path, files: Mapping[Path, str]) -> bool:
    """Whether a raw folder is as a version has it; a file of the cache is one."""
    if not root.is_dir():
        return True
    names = {f.relative_to(root).as_posix(): md5 for f, md5 in files.items() if _lies_in(f, root)}
    return (cache / object_key(list_md5(names))).is_file()


def _ours(workspace: Workspace, names: Iterable[str], every: Sequence[str]) -> tuple[str, ...]:
    """Those of DVC's names that belong to the set; folders only if `every` names none in them."""
    tracked = workspace.tracked
    roots = (*tracked.raw, *tracked.made)
    return tuple(
        tracked.relative(workspace.top / name)
        for name in sorted(names)
        if any(_lies_in(workspace.top / name, root) for root in roots)
        and not (name.endswith("/") and any(n != name and n.startswith(name) for n in every))
    )


def _lies_in(path: Path, root: Path) -> bool:
    return Path(os.path.normpath(path)).is_relative_to(root)

"""What of the data at hand is not as the pointers say."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from skincli.data.download.checksums import md5_of
from skincli.versioning.objects import object_key
from skincli.versioning.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Changes:
    """Files as `dvc.yaml` would write them; those that the remote lacks where it was asked."""

    added: tuple[str, ...]
    modified: tuple[str, ...]
    deleted: tuple[str, ...]
    unpushed: tuple[str, ...]


def find_changes(workspace: Workspace, *, ask_remote: bool = False) -> Changes:
    """Compare the set with its pointers. Raises SkincliError where the remote does not answer."""
    option = ["--not-in-remote"] if ask_remote else []
    told = json.loads(workspace.dvc.run("data", "status", "--json", "--granular", *option))
    here, unpushed = told.get("uncommitted", {}), told.get("not_in_remote", ())
    changed = [name for kind in ("added", "modified", "deleted") for name in here.get(kind, ())]
    return Changes(
        added=_ours(workspace, here.get("added", ()), changed),
        modified=_ours(workspace, here.get("modified", ()), changed),
        deleted=_ours(workspace, here.get("deleted", ()), changed),
        unpushed=_ours(workspace, unpushed, unpushed),
    )


def unsaved(workspace: Workspace, cache: Path) -> list[str]:
    """The files of the raw set and the splits that are in no version that the cache knows."""
    tracked, changes = workspace.tracked, find_changes(workspace)
    changed = [
        name
        for name in (*changes.added, *changes.modified)
        if any(
            _lies_in(tracked.here / name, root) for root in (*tracked.raw, tracked.folder.splits)
        )
    ]
    files = [name for name in changed if (tracked.here / name).is_file()]
    return [n for n in files if not (cache / object_key(md5_of(tracked.here / n))).is_file()]


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

"""What of the data at hand is not as the pointers say."""

import json
import os
from collections.abc import Iterable
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
    here = told.get("uncommitted", {})
    tracked = workspace.tracked
    roots = (*tracked.raw, *tracked.made)
    return Changes(
        added=_below(roots, workspace, here.get("added", ())),
        modified=_below(roots, workspace, here.get("modified", ())),
        deleted=_below(roots, workspace, here.get("deleted", ())),
        unpushed=_below(roots, workspace, told.get("not_in_remote", ())),
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


def _below(roots: Iterable[Path], workspace: Workspace, names: Iterable[str]) -> tuple[str, ...]:
    """Those of DVC's names that lie in `roots`; folders only where none of their files is named."""
    ours = sorted(
        name for name in names if any(_lies_in(workspace.top / name, root) for root in roots)
    )
    telling = (n for n in ours if not n.endswith("/") or _none_below(n, ours))
    return tuple(workspace.tracked.relative(workspace.top / name) for name in telling)


def _none_below(folder: str, names: Iterable[str]) -> bool:
    return not any(name != folder and name.startswith(folder) for name in names)


def _lies_in(path: Path, root: Path) -> bool:
    return Path(os.path.normpath(path)).is_relative_to(root)

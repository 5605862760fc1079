"""Finding a run's folder by what a person calls it."""

import re
from pathlib import Path
from typing import Final

from skincli.errors import UsageError
from skincli.tracking.run_folder import STATE_FILE, RunFolder

_ID: Final = re.compile(r"[0-9a-f]{4,32}")


def find_run_folder(root: Path, run: str) -> RunFolder:
    """A run folder, by path or by its name in `root`; the newest in a folder of runs, or the
    newest whose id begins so.

    Raises UsageError when there is none, or its record is damaged.
    """
    for path in (Path(run), root / run):
        if run and (path / STATE_FILE).is_file():
            return _require_whole(RunFolder(path.absolute()))
    if run and Path(run).is_dir():
        found = _newest_first(Path(run))
    else:
        found = [f for f in _newest_first(root) if _ID.fullmatch(run) and _is_called(f, run)]
    if not found:
        raise UsageError(
            f"there is no run `{run}` in `{root}`",
            "name a run folder, or a run id (4 characters of it are enough)",
        )
    return _require_whole(found[0])


def latest_finished(root: Path) -> RunFolder:
    """The training in `root` that began last of those that have finished.

    Raises UsageError when there is none.
    """
    for folder in _newest_first(root):
        try:
            state = folder.state()
        except (ValueError, TypeError):
            continue  # a damaged record
        if state.status == "FINISHED" and state.kind == "training":
            return folder
    raise UsageError(f"no run in `{root}` has finished", "`skincli train` begins one")


def _require_whole(folder: RunFolder) -> RunFolder:
    try:
        folder.state()
    except (ValueError, TypeError) as error:
        raise UsageError(f"`{folder.path / STATE_FILE}` is damaged: {error}") from None
    return folder


def _newest_first(root: Path) -> list[RunFolder]:
    paths = sorted(root.absolute().glob(f"*/{STATE_FILE}"), reverse=True)
    return [RunFolder(path.parent) for path in paths]


def _is_called(folder: RunFolder, prefix: str) -> bool:
    try:
        return folder.state().run_id.startswith(prefix)
    except (ValueError, TypeError):
        return False  # a damaged record

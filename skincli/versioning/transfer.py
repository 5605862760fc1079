"""The verbs `push` and `pull`: versions to and from the remote, each object checked by its MD5."""

import json
import re
from dataclasses import dataclass
from typing import Final

from skincli.config.schema import Config
from skincli.data import fetch
from skincli.data.fingerprints import Stamps
from skincli.data.raw import hashes_of, read_record
from skincli.errors import SkincliError
from skincli.progress import Progress
from skincli.versioning.calling import Ended
from skincli.versioning.complaints import complaint
from skincli.versioning.objects import Missing, missing_objects
from skincli.versioning.recording import locked_stage, read_pointers
from skincli.versioning.remote import Remote, require_verifying
from skincli.versioning.stages import PREPARE
from skincli.versioning.tracked import Tracked
from skincli.versioning.workspace import Workspace

_PUSHED: Final = re.compile(r"(\d+) files? pushed")
_FETCHED: Final = re.compile(r"(\d+) files? fetched")
_NOWHERE: Final = "do not exist neither locally nor on remote"
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class TransferResult:
    """`files` is the number of objects that were moved; `version` the MD5 of the raw set."""

    remote: str
    version: str
    files: int


def push(config: Config, progress: Progress) -> TransferResult:
    """Send what the remote has not got of the present version. Interrupted, it goes on later.

    Raises UsageError where there is no version, no remote or no credentials; SkincliError where
    the remote does not answer.
    """
    workspace = Workspace.of(config)
    workspace.require_version()
    remote = Remote.of(workspace.dvc)
    if json.loads(workspace.dvc.run("status", "--json", *raw_names(workspace))):
        progress.warn("the raw set has changed since this version: `skincli data version` first")
    ended = workspace.dvc.transfer(f"Pushing to {remote.url}", progress, "push")
    if ended.code:
        raise complaint("push", ended)
    return _result(workspace, remote, _PUSHED, ended)


def pull(config: Config, progress: Progress, *, force: bool = False) -> TransferResult:
    """Bring the version that git names, and put it in place: raw and packed set, splits.

    `prepare` then has nothing to do. Raises as `push` does, SkincliError for an object that is
    damaged or missing in the remote, and UsageError where changes of the data would be lost unless
    `force`.
    """
    workspace = Workspace.of(config)
    workspace.require_version()
    remote = Remote.of(workspace.dvc)
    with workspace.tracked.folder.locked(progress):
        ended = bring(workspace, remote, progress)
        place(workspace, force=force)
    settle(config, workspace.tracked, progress)
    return _result(workspace, remote, _FETCHED, ended)


def bring(workspace: Workspace, remote: Remote, progress: Progress) -> Ended:
    """Fetch into the cache what the pointers name and it lacks. Touches nothing else."""
    require_verifying(workspace.dvc, remote)
    title = f"Pulling from {remote.url}"
    ended = workspace.dvc.transfer(title, progress, "fetch", *_names(workspace))
    missing = missing_objects(workspace)  # DVC itself does not say which
    if missing:
        raise _told(missing, remote, ended)
    if ended.code:
        raise complaint("fetch", ended)
    return ended


def place(workspace: Workspace, *, force: bool) -> None:
    """Put what the pointers name in place, out of the cache."""
    options = ["--force"] if force else []
    workspace.dvc.run("checkout", "--quiet", *options, *_names(workspace))


def settle(config: Config, tracked: Tracked, progress: Progress) -> None:
    """Make the set at hand known to skincli, as `fetch` would have."""
    if config.data.source == "folder":
        fetch(config, progress)  # it is a note of where the folder is
        return
    record = read_record(tracked.folder.raw)
    if record is not None:
        stamps = Stamps(tracked.folder.stamps)
        for path in hashes_of(tracked.folder.raw, record):
            if path.is_file():
                stamps.sha256(path)
        stamps.save()


def raw_names(workspace: Workspace) -> list[str]:
    """The pointers as DVC is told of them."""
    return [workspace.tracked.relative(file) for file in workspace.pointer_files]


def _names(workspace: Workspace) -> list[str]:
    """What DVC is to bring: the raw set, and what was prepared if that is known."""
    pointers = read_pointers(workspace.tracked)
    stage = [PREPARE] if locked_stage(workspace.tracked, pointers) else []
    return [*raw_names(workspace), *stage]


def _told(missing: list[Missing], remote: Remote, ended: Ended) -> SkincliError:
    """Which files did not come, and why; the errors of a remote that does not answer go first."""
    known = complaint("fetch", ended)
    if not known.message.startswith("`dvc"):
        return known
    names = ", ".join(f"`{each.name}`" for each in missing[:_SHOWN])
    more = f" and {len(missing) - _SHOWN:,} more" if len(missing) > _SHOWN else ""
    objects = ", ".join(f"{remote.url.rstrip('/')}/{each.key}" for each in missing[:_SHOWN])
    if _NOWHERE in ended.err:
        return SkincliError(
            f"{names}{more}: not in the remote {remote.url}",
            "`skincli data push` it from where the version was made",
        )
    return SkincliError(
        f"{names}{more}: damaged in the remote {remote.url}, where the bytes are not those that "
        "were pushed; nothing of it was kept",
        f"remove it there ({objects}{', …' if more else ''}), then `skincli data push` it again "
        "from a machine that has it",
    )


def _result(
    workspace: Workspace, remote: Remote, pattern: re.Pattern[str], ended: Ended
) -> TransferResult:
    found = pattern.search(ended.out)
    pointers = read_pointers(workspace.tracked)
    version = "+".join(pointer.pinned.md5 for pointer in pointers)
    return TransferResult(remote.url, version, int(found[1]) if found else 0)

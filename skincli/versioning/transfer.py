"""The verbs `push` and `pull`: versions to and from the remote, each object checked by its MD5."""

import re
from dataclasses import dataclass
from typing import Final

from skincli.config.schema import Config
from skincli.errors import UsageError
from skincli.progress import Progress
from skincli.versioning.calling import Ended
from skincli.versioning.changes import find_changes
from skincli.versioning.complaints import complaint
from skincli.versioning.objects import missing_objects, objects_of
from skincli.versioning.placing import bring_and_place, settle
from skincli.versioning.recording import read_pointers
from skincli.versioning.shortfall import listed, lost
from skincli.versioning.verifying import drop_damaged
from skincli.versioning.workspace import Workspace

_PUSHED: Final = re.compile(r"(\d+) files? pushed")


@dataclass(frozen=True, slots=True)
class TransferResult:
    """`files` is the number of objects that were moved; `version` the MD5 of the raw set.

    `remote` is None where none is set, and none was needed.
    """

    remote: str | None
    version: str
    files: int


def push(config: Config, progress: Progress) -> TransferResult:
    """Send what the remote has not got of the present version. Interrupted, it goes on later.

    Raises UsageError where there is no version, no remote or no credentials; SkincliError where
    the remote does not answer, or has not got all of it afterwards.
    """
    workspace = Workspace.of(config)
    workspace.require_version()
    settings = workspace.settings()
    remote = settings.require_remote()
    drop_damaged(workspace, settings.cache, progress)  # DVC would send it as it is
    missing = missing_objects(workspace, settings.cache)
    if missing:
        raise UsageError(
            f"DVC's cache has no whole {listed([each.name for each in missing])}",
            "`skincli data version` keeps what is here, `skincli data pull` brings what is not",
        )
    title = f"Pushing to {remote.url}"
    ended = workspace.dvc.transfer(title, progress, "push", judge=_judge_push)
    changes = find_changes(workspace, ask_remote=True)
    if changes.unpushed:
        here = {workspace.tracked.here / name for name in changes.unpushed}
        raise lost([o for o in objects_of(workspace, settings.cache) if o.path in here], remote)
    if changes.touch(workspace.tracked.raw):
        progress.warn("the raw set is not as in this version: `skincli data version` makes another")
    found = _PUSHED.search(ended.out)
    return TransferResult(remote.url, _name(workspace), int(found[1]) if found else 0)


def pull(config: Config, progress: Progress, *, force: bool = False) -> TransferResult:
    """Bring the version that git names, and put it in place: raw and packed set, splits.

    `prepare` then has nothing to do. Where the cache has all of it, no remote is needed. Raises
    as `push` does, SkincliError for an object that is damaged or missing in the remote, and
    UsageError where changes of the data would be lost unless `force`.
    """
    workspace = Workspace.of(config)
    workspace.require_version()
    settings = workspace.settings()
    with workspace.tracked.folder.locked(progress):
        brought = bring_and_place(workspace, settings, progress, force=force)
    settle(config, workspace.tracked, progress)
    url = settings.remote.url if settings.remote else None
    return TransferResult(url, _name(workspace), brought)


def _judge_push(ended: Ended) -> None:
    if ended.code:
        raise complaint("push", ended)


def _name(workspace: Workspace) -> str:
    pointers = read_pointers(workspace.tracked)
    return "+".join(pointer.pinned.md5.removesuffix(".dir") for pointer in pointers)

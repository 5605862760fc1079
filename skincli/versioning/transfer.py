"""The verbs `push` and `pull`: versions to and from the remote, each object checked by its MD5."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skincli.config.schema import Config
from skincli.data import fetch
from skincli.data.fingerprints import Stamps
from skincli.data.raw import hashes_of, read_record
from skincli.errors import UsageError
from skincli.progress import Progress
from skincli.versioning.calling import Ended
from skincli.versioning.changes import unsaved
from skincli.versioning.complaints import complaint
from skincli.versioning.objects import missing_objects
from skincli.versioning.recording import locked_stage, read_pointers
from skincli.versioning.remote import require_verifying
from skincli.versioning.settings import DvcSettings, Remote
from skincli.versioning.shortfall import listed, shortfall
from skincli.versioning.stages import PREPARE
from skincli.versioning.tracked import Tracked
from skincli.versioning.workspace import Workspace

_PUSHED: Final = re.compile(r"(\d+) files? pushed")
_FETCHED: Final = re.compile(r"(\d+) files? fetched")


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
    settings = workspace.settings()
    remote = settings.require_remote()
    missing = missing_objects(workspace, settings.cache)
    if missing:
        raise UsageError(
            f"DVC's cache lacks {listed([each.name for each in missing])} of the present version",
            "`skincli data version` keeps what is here, `skincli data pull` brings what is not",
        )
    if json.loads(workspace.dvc.run("status", "--json", *workspace.raw_names)):
        progress.warn("the raw set is not as in this version: `skincli data version` makes another")
    title = f"Pushing to {remote.url}"
    ended = workspace.dvc.transfer(title, progress, "push", judge=_judge_push)
    return _result(workspace, remote, _PUSHED, ended)


def pull(config: Config, progress: Progress, *, force: bool = False) -> TransferResult:
    """Bring the version that git names, and put it in place: raw and packed set, splits.

    `prepare` then has nothing to do. Raises as `push` does, SkincliError for an object that is
    damaged or missing in the remote, and UsageError where changes of the data would be lost unless
    `force`.
    """
    workspace = Workspace.of(config)
    workspace.require_version()
    settings = workspace.settings()
    remote = settings.require_remote()
    with workspace.tracked.folder.locked(progress):
        ended = bring(workspace, settings, progress)
        place(workspace, settings.cache, force=force)
    settle(config, workspace.tracked, progress)
    return _result(workspace, remote, _FETCHED, ended)


def bring(workspace: Workspace, settings: DvcSettings, progress: Progress) -> Ended:
    """Fetch into the cache what the pointers name and it lacks. Touches nothing else."""
    remote = settings.require_remote()
    require_verifying(workspace.dvc, remote)

    def judge(ended: Ended) -> None:
        missing = missing_objects(workspace, settings.cache)  # DVC itself does not say which
        if missing:
            raise shortfall(missing, remote, ended)
        if ended.code:
            raise complaint("fetch", ended)

    title = f"Pulling from {remote.url}"
    names = [*workspace.raw_names, *_locked(workspace)]
    return workspace.dvc.transfer(title, progress, "fetch", *names, judge=judge)


def place(workspace: Workspace, cache: Path, *, force: bool) -> None:
    """Put what the pointers name in place, out of the cache.

    Raises UsageError, and touches nothing, where that would lose what is in no version, unless
    `force`. Packs do not count: they can be made anew.
    """
    lost = [] if force else unsaved(workspace, cache)
    if lost:
        raise UsageError(
            f"what is in no version would be lost: {listed(lost)}",
            "`skincli data version` keeps it; `--force` gives it up",
        )
    names = [*workspace.raw_names, *_locked(workspace)]
    workspace.dvc.run("checkout", "--force", *names)


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


def _locked(workspace: Workspace) -> list[str]:
    """The stage that prepared this raw set, if it is known."""
    stage = locked_stage(workspace.tracked, read_pointers(workspace.tracked))
    return [PREPARE] if stage else []


def _judge_push(ended: Ended) -> None:
    if ended.code:
        raise complaint("push", ended)


def _result(
    workspace: Workspace, remote: Remote, pattern: re.Pattern[str], ended: Ended
) -> TransferResult:
    found = pattern.search(ended.out)
    pointers = read_pointers(workspace.tracked)
    version = "+".join(pointer.pinned.md5.removesuffix(".dir") for pointer in pointers)
    return TransferResult(remote.url, version, int(found[1]) if found else 0)

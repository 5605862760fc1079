"""The verb `status`: what has changed since the last version, and what was not pushed."""

from dataclasses import dataclass

from skincli.config.schema import Config
from skincli.errors import SkincliError
from skincli.progress import Progress
from skincli.versioning.changes import Changes, find_changes
from skincli.versioning.pointers import Pinned
from skincli.versioning.recording import LOCK_FILE, read_pointers
from skincli.versioning.settings import Remote
from skincli.versioning.stages import disagreements
from skincli.versioning.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class DataStatus:
    """`raw` is the last version, empty before the first; `pulled` says whether any of it is here.

    `added`, `modified` and `deleted` are files that are not as in it, `uncommitted` the pointers
    that git's last commit has not got. `unpushed` are files that the remote lacks, None where that
    is not known. `settings` are keys to which `params.yaml` gives another value than the config.
    """

    raw: tuple[Pinned, ...]
    pulled: bool = False
    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    uncommitted: tuple[str, ...] = ()
    remote: str | None = None
    unpushed: tuple[str, ...] | None = None
    settings: tuple[str, ...] = ()

    @property
    def unchanged(self) -> bool:
        return not (self.added or self.modified or self.deleted)


def status(config: Config, progress: Progress) -> DataStatus:
    """Compare what is there with the last version, and that with git and the remote.

    A remote that does not answer is warned of. Raises UsageError as `version` does.
    """
    workspace = Workspace.of(config)
    tracked = workspace.tracked
    pointers = read_pointers(tracked)
    if not pointers or not workspace.is_ready:
        return DataStatus(raw=())
    remote, changes = _look(workspace, progress)
    files = [*workspace.pointer_files, tracked.here / LOCK_FILE]
    return DataStatus(
        raw=tuple(pointer.pinned for pointer in pointers),
        pulled=any(path.exists() for path in tracked.raw),
        added=changes.added,
        modified=changes.modified,
        deleted=changes.deleted,
        uncommitted=tuple(workspace.repository.changed(files)),
        remote=remote.url if remote else None,
        unpushed=changes.unpushed if remote else None,
        settings=tuple(disagreements(config, tracked.here)),
    )


def _look(workspace: Workspace, progress: Progress) -> tuple[Remote | None, Changes]:
    """What has changed, and the remote if it could be looked at."""
    remote = workspace.settings().remote
    if remote is not None:
        try:
            return remote, find_changes(workspace, ask_remote=True)
        except SkincliError as error:
            progress.warn(f"{error.message}: what was not pushed is not known")
    return None, find_changes(workspace)

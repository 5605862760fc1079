"""The files of the present version, out of DVC's cache into their place, each checked."""

from skincli.config.schema import Config
from skincli.data import fetch
from skincli.data.fingerprints import Stamps
from skincli.data.raw import hashes_of, read_record
from skincli.errors import SkincliError, UsageError
from skincli.progress import Progress
from skincli.versioning.bringing import bring
from skincli.versioning.changes import unsaved
from skincli.versioning.placed import forget_placed, note_placed
from skincli.versioning.settings import DvcSettings
from skincli.versioning.shortfall import listed
from skincli.versioning.tracked import Tracked
from skincli.versioning.verifying import damaged_files, remove
from skincli.versioning.workspace import Workspace


def bring_and_place(
    workspace: Workspace, settings: DvcSettings, progress: Progress, *, force: bool
) -> int:
    """Put what the pointers name in place: how many objects came from the remote.

    Every file is checked by its MD5; what is damaged in the cache is removed there and brought
    again. Raises UsageError, and touches nothing in place, where that would lose what is in no
    version, unless `force`. Packs do not count: they can be made anew. Otherwise as `bring`.
    """
    brought = bring(workspace, settings, progress)
    if not force:
        _require_saved(workspace, settings)
    forget_placed(workspace)
    _check_out(workspace)
    wrong = damaged_files(workspace, settings.cache, progress)
    if wrong:
        gone = remove(wrong, settings.cache)
        if gone:
            names = listed([each.name for each in gone])
            progress.warn(f"damaged in DVC's cache, and removed there: {names}")
        brought += bring(workspace, settings, progress)
        _check_out(workspace)
        wrong = damaged_files(workspace, settings.cache, progress)
    if wrong:
        raise SkincliError(
            f"{listed([each.name for each in wrong])}: not as written, twice", "check the disk"
        )
    note_placed(workspace)
    return brought


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


def _require_saved(workspace: Workspace, settings: DvcSettings) -> None:
    lost = unsaved(workspace, settings.cache)
    if lost:
        raise UsageError(
            f"changes that are in no version would be lost: {listed(lost)}",
            "`skincli data version` keeps them; `--force` gives them up",
        )


def _check_out(workspace: Workspace) -> None:
    workspace.dvc.run("checkout", "--force", *workspace.targets)

"""Objects of the present version, from the remote into DVC's cache."""

import re
from typing import Final

from skincli.progress import Progress
from skincli.versioning.calling import Ended
from skincli.versioning.complaints import complaint
from skincli.versioning.objects import missing_objects, object_key
from skincli.versioning.remote import require_verifying
from skincli.versioning.settings import DvcSettings
from skincli.versioning.shortfall import shortfall
from skincli.versioning.workspace import Workspace

_FETCHED: Final = re.compile(r"(\d+) files? fetched")


def bring(workspace: Workspace, settings: DvcSettings, progress: Progress) -> int:
    """Fetch into the cache what the pointers name and it lacks: how many objects that were.

    Touches nothing else; the remote is not asked where nothing is missing. Raises UsageError where
    there is none, SkincliError for an object that is damaged or missing in it.
    """
    missing = missing_objects(workspace, settings.cache)
    if not missing:
        return 0
    remote = settings.require_remote()
    require_verifying(workspace.dvc, remote)
    for each in missing:  # DVC would take a damaged list for a whole one
        (settings.cache / object_key(each.md5)).unlink(missing_ok=True)

    def judge(ended: Ended) -> None:
        missing = missing_objects(workspace, settings.cache)  # DVC itself does not say which
        if missing:
            raise shortfall(missing, remote, ended)
        if ended.code:
            raise complaint("fetch", ended)

    title = f"Pulling from {remote.url}"
    ended = workspace.dvc.transfer(title, progress, "fetch", *workspace.targets, judge=judge)
    found = _FETCHED.search(ended.out)
    return int(found[1]) if found else 0

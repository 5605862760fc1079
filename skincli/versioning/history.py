"""Whether the splits that `dvc.lock` names are here, so that a version goes on with them."""

from skincli.data.download.checksums import md5_of
from skincli.errors import UsageError
from skincli.versioning.objects import list_md5, made, object_key, read_list
from skincli.versioning.pointers import read_yaml
from skincli.versioning.recording import LOCK_FILE
from skincli.versioning.stages import PREPARE
from skincli.versioning.workspace import Workspace


def require_history(workspace: Workspace) -> None:
    """Raises UsageError where they are not: others would be dealt, and take their place."""
    tracked, folder = workspace.tracked, workspace.tracked.folder.splits
    stage = (read_yaml(tracked.here / LOCK_FILE).get("stages") or {}).get(PREPARE) or {}
    locked = {part.path: part.md5 for part in made(stage)}.get(tracked.relative(folder))
    here = {
        path.relative_to(folder).as_posix(): md5_of(path)
        for path in folder.rglob("*")
        if path.is_file()
    }
    if locked is None or not workspace.is_ready or list_md5(here) == locked:
        return
    cache = workspace.settings().cache
    known = (cache / object_key(locked)).is_file()
    if not known or read_list(cache, locked).keys() - here.keys():
        raise UsageError(
            f"`{LOCK_FILE}` names splits that are not in `{folder}`, and lesions would be dealt "
            "anew",
            "`skincli data pull` first, before new images are put there; without "
            f"`{LOCK_FILE}` there is no split to go on with",
        )

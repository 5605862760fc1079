"""Why objects did not come out of a remote, in plain words."""

import re
from collections.abc import Sequence
from typing import Final

from skincli.errors import SkincliError
from skincli.versioning.calling import Ended
from skincli.versioning.complaints import complaint
from skincli.versioning.objects import Object, object_key
from skincli.versioning.settings import Remote

_NOWHERE: Final = "do not exist neither locally nor on remote"
_CORRUPTED: Final = re.compile(r"object (\w+(?:\.dir)?) is corrupted")
_GONE: Final = re.compile(
    r"failed to transfer '(\w+)' - .*(?:No such file|NoSuchKey|not exist|Not Found)"
)
_SHOWN: Final = 3


def shortfall(missing: list[Object], remote: Remote, ended: Ended) -> SkincliError:
    """The error to raise where `dvc fetch` has ended and objects are still missing.

    Of a damaged one DVC says nothing: it drops it, and ends well.
    """
    if _NOWHERE in ended.err:
        return SkincliError(
            f"{listed([each.name for each in missing])}: not in the remote {remote.url}",
            "`skincli data push` it from where the version was made",
        )
    gone = set(_GONE.findall(ended.err))
    if gone:
        return lost([each for each in missing if each.md5 in gone or each.is_list], remote)
    corrupted = _CORRUPTED.search(ended.err)
    if corrupted:  # a list of files, after which nothing more is looked at
        missing = [each for each in missing if each.md5 == corrupted[1]]
    elif ended.code:
        return complaint("fetch", ended)
    # What DVC once saw in a remote it does not look for again while the list of it is there.
    md5s = dict.fromkeys(md5 for each in missing for md5 in (each.md5, each.listed_in))
    objects = ", ".join(f"{remote.url.rstrip('/')}/{object_key(md5)}" for md5 in md5s)
    return SkincliError(
        f"{listed([each.name for each in missing])}: damaged in the remote {remote.url}, where the "
        "bytes are not those that were pushed; nothing of it was kept",
        f"remove it there ({objects}), then `skincli data push` from a machine that has it",
    )


def lost(objects: list[Object], remote: Remote) -> SkincliError:
    """The error to raise for what a remote lacks although it has the list of it.

    DVC takes all that is on such a list for being there, and sends none of it.
    """
    lists = dict.fromkeys(each.listed_in for each in objects)
    keys = ", ".join(f"{remote.url.rstrip('/')}/{object_key(md5)}" for md5 in lists)
    return SkincliError(
        f"{listed([each.name for each in objects])}: lost in the remote {remote.url}, which has "
        "only the list of it",
        f"remove the list there ({keys}), then `skincli data push` from a machine that has it",
    )


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "")

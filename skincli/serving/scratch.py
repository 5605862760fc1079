"""The folder that the processes of one running server share."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from skincli.tracking.fetching import cache_folder

_LOCK: Final = "lock"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder for as long as the body runs, and none of servers that were killed.

    In the cache: what is old in the system's own place for such is cleared away while we run.
    """
    root = cache_folder() / "running"
    root.mkdir(parents=True, exist_ok=True)
    for left in root.iterdir():
        _remove_unless_held(left)
    folder = Path(tempfile.mkdtemp(dir=root))
    with (folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_unless_held(folder: Path) -> None:
    """A lock is let go when its process ends, however it ends."""
    try:
        with (folder / _LOCK).open("a") as lock:
            if _is_free(lock):
                shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # another server is making it, or removed it first
        return


def _is_free(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

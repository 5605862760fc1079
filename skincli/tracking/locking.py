"""Letting one process at a time do what two would spoil."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skincli.errors import UsageError


@contextmanager
def exclusively(file: Path, busy: str, hint: str) -> Iterator[None]:
    """Hold `file` while the body runs. Raises UsageError(busy, hint) when another process does.

    The system lets go of it when the process ends, however it ends.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(busy, hint) from None
        yield

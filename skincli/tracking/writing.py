"""Writing to files so that whatever ends the process leaves them whole."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

# No line of ours is nearly as long.
_TAIL_BYTES: Final = 1 << 20


def append_line(path: Path, line: str) -> None:
    """Add a line in one write, which a kill of the process cannot cut in two. Raises OSError.

    It is with the system when this returns, and on the disk only after `flush_to_disk`: waiting
    for a disk is not for whoever trains. What a full disk or a lost machine left of a line before
    it is cut off first.
    """
    data = line.encode()
    with path.open("ab+", buffering=0) as stream:
        start = _after_last_whole_line(stream.fileno())
        written = 0
        try:
            written = stream.write(data)
        finally:
            if written != len(data):
                with suppress(OSError):
                    os.ftruncate(stream.fileno(), start)
    if written != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def flush_to_disk(path: Path) -> None:
    """Return when the file is on the disk. Raises OSError."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def write_atomically(path: Path, text: str) -> None:
    """Replace the file by one that is whole on the disk. Raises OSError; the old one then stays."""
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """A folder to fill beside `target`, whose name and place it takes when it is whole.

    Raises OSError; what was there before then stays, as after any error of who fills it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{target.name}.partial-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=target.parent) as name:
        fresh, former = Path(name) / "new", Path(name) / "old"
        fresh.mkdir()
        yield fresh
        if target.exists():
            target.rename(former)
        try:
            fresh.rename(target)
        except BaseException:
            if former.exists():
                former.rename(target)
            raise


def _after_last_whole_line(descriptor: int) -> int:
    """The size of the file, after cutting off a last line that has no end."""
    size = os.fstat(descriptor).st_size
    if size == 0 or os.pread(descriptor, 1, size - 1) == b"\n":
        return size
    tail_start = max(0, size - _TAIL_BYTES)
    whole = tail_start + os.pread(descriptor, _TAIL_BYTES, tail_start).rfind(b"\n") + 1
    os.ftruncate(descriptor, whole)
    return whole

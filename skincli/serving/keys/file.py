"""The file of keys: read with suspicion, replaced in one step, for its owner's eyes only."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from skincli.errors import SkincliError, UsageError
from skincli.serving.keys.key import ApiKey, KeyList

_MODE: Final = 0o600
_OTHERS: Final = 0o077
_MOST_BYTES: Final = 4_000_000


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """The keys in the file.

    Raises FileNotFoundError where there is none, and UsageError for a file that others than its
    owner may open, that is no file of keys, or that cannot be read.
    """
    try:
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_mode & _OTHERS:
                raise UsageError(
                    f"others than its owner may open the file of keys `{path}`",
                    f"`chmod 600 {path}`",
                )
            data = stream.read(_MOST_BYTES)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UsageError(f"the keys in `{path}` cannot be read: {error.strerror}") from None
    return _parsed(data, path)


@contextmanager
def changing(path: Path) -> Iterator[list[ApiKey]]:
    """The keys as a list to change, written back afterwards; one process at a time.

    An error in the body leaves the file as it is. Raises as `read_keys` does for what is there
    already, and SkincliError where the file cannot be written.
    """
    path = path.resolve()  # a link stays a link
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path.with_name(f".{path.name}.lock"), os.O_CREAT | os.O_RDWR, _MODE)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        keys = list(keys_or_none(path))
        yield keys
        _replace(path, KeyList(keys=tuple(keys)))
    finally:
        os.close(lock)


def keys_or_none(path: Path) -> tuple[ApiKey, ...]:
    """As `read_keys`, but a file that is not there yet holds no keys."""
    try:
        return read_keys(path)
    except FileNotFoundError:
        return ()


def _parsed(data: bytes, path: Path) -> tuple[ApiKey, ...]:
    try:
        return KeyList.model_validate_json(data, strict=True).keys
    except ValidationError as error:
        # Without the input, of which no part belongs into a log.
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"the file of keys `{path}` is damaged: {f'{where}: ' if where else ''}{first['msg']}",
            "bring back a copy, or move it away and create the keys anew",
        ) from None


def _replace(path: Path, content: KeyList) -> None:
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _MODE)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(content.model_dump_json(indent=1) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> SkincliError:
    return SkincliError(f"the keys in `{path}` cannot be written: {error.strerror}")

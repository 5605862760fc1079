"""Files for people: written beside, then renamed, so that an older one is whole until the end."""

from contextlib import suppress
from pathlib import Path

from skincli.errors import SkincliError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under its final name in one step, and its folder. Raises SkincliError."""
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):  # what cannot be written can often not be removed either
            partial.unlink(missing_ok=True)
        raise SkincliError(f"`{path}` cannot be written: {error.strerror}") from None

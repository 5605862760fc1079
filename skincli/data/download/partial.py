"""A file that is not whole yet: its bytes, and of which state of the remote file they are."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

from skincli.data.download.answers import Version
from skincli.data.download.checksums import md5_of

_ZIPS: Final = frozenset({".zip", ".npz"})


class Partial:
    """`<name>.partial` and, beside it, `<name>.version` with what the server said of the file."""

    def __init__(self, folder: Path, name: str) -> None:
        self._final = folder / name
        self._path = folder / f"{name}.partial"
        self._note = folder / f"{name}.version"
        self.version = _read_version(self._note)
        self.size = self._path.stat().st_size if self._path.is_file() else 0
        self._digest = hashlib.md5(usedforsecurity=False)
        self._hashed = 0
        if self.version is None:
            self.discard()

    def begin(self, version: Version) -> None:
        """Start afresh with the bytes of this state."""
        self.discard()
        self._note.write_text(json.dumps(asdict(version)), encoding="utf-8")
        self.version = version

    def discard(self) -> None:
        """Forget all bytes."""
        self._path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        self.version, self.size, self._hashed = None, 0, 0
        self._digest = hashlib.md5(usedforsecurity=False)

    @contextmanager
    def appending(self) -> Iterator["Partial"]:
        with self._path.open("ab") as self._stream:
            yield self

    def append(self, chunk: bytes) -> None:
        self._stream.write(chunk)
        if self._hashed == self.size:  # hashed on the way, unless another process began
            self._digest.update(chunk)
            self._hashed += len(chunk)
        self.size += len(chunk)

    def fault(self, size: int | None, md5: str | None) -> str:
        """What is wrong with the whole file, empty where nothing is."""
        if md5 is not None:
            found = self._digest.hexdigest() if self._hashed == self.size else md5_of(self._path)
            return "" if found == md5 else "differs from the MD5 given for it"
        if size is not None and self.size != size:
            return f"has {self.size:,} bytes instead of {size:,}"
        if self._final.suffix in _ZIPS and not zipfile.is_zipfile(self._path):
            return "is not a whole zip archive"
        return ""

    def finish(self) -> None:
        """Give the file its name."""
        self._path.replace(self._final)
        self._note.unlink(missing_ok=True)


def remove_strays(folder: Path) -> None:
    """Remove what a kill may have left beside files that are whole."""
    for pattern in ("*.partial", "*.version"):
        for stray in folder.rglob(pattern):
            stray.unlink()


def _read_version(path: Path) -> Version | None:
    try:
        return Version(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None

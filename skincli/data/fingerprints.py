"""SHA-256 of files, remembered while they do not change, and of whole data sets."""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from skincli.bundle import file_sha256
from skincli.data.records import Sample
from skincli.data.storage import write_json


class Stamps:
    """File hashes, kept with each file's size and modification time so as to hash only once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, list[int | str]] = {}
        # A memory, not a record: where it is lost, files are hashed again.
        with suppress(OSError, ValueError, TypeError):
            self._known = dict(json.loads(path.read_text(encoding="utf-8")))

    def known(self, path: Path) -> str | None:
        """The SHA-256 of an unchanged file, None for one that has to be hashed first."""
        size, modified, digest = self._known.get(str(path), (None, None, None))
        stat = path.stat()
        return str(digest) if (size, modified) == (stat.st_size, stat.st_mtime_ns) else None

    def sha256(self, path: Path) -> str:
        """The SHA-256 of a file in hex. Raises OSError when it cannot be read."""
        digest = self.known(path)
        if digest is None:
            stat = path.stat()
            digest = file_sha256(path)
            self._known[str(path)] = [stat.st_size, stat.st_mtime_ns, digest]
        return digest

    def save(self) -> None:
        write_json(self._path, self._known)


def dataset_fingerprint(samples: Iterable[Sample]) -> str:
    """Stands for the images and labels: (image_id, lesion_id, dx, file SHA-256) of each."""
    return _digest((s.image_id, s.lesion_id, s.dx, s.sha256) for s in samples)


def split_fingerprint(samples: Iterable[Sample]) -> str:
    """Stands for the images, labels and parts: as above, with the part of each."""
    return _digest((s.image_id, s.lesion_id, s.dx, s.part, s.sha256) for s in samples)


def digest_of(content: object) -> str:
    """The SHA-256 of plain data, as sorted JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _digest(rows: Iterable[tuple[str, ...]]) -> str:
    return digest_of(sorted(rows))

"""The keys of a running server, which follow the file."""

import logging
from pathlib import Path
from typing import Final

from skincli.errors import SkincliError
from skincli.serving.keys.file import read_keys
from skincli.serving.keys.key import ApiKey, matching

_Mark = tuple[int, int, int] | None
_log: Final = logging.getLogger(__name__)


class KeyRing:
    """Looks at the file at every question and reads it when it has changed, so that a new key and
    a revoked one count at once, in every process, without a restart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark: _Mark = None
        self._keys: tuple[ApiKey, ...] = ()
        self._fault = ""

    def find(self, secret: str) -> ApiKey | None:
        """The key with this secret.

        Raises SkincliError while the file is missing, damaged or unreadable: then nobody is let in.
        """
        self._follow()
        if self._fault:
            raise SkincliError(self._fault)
        return matching(self._keys, secret)

    def _follow(self) -> None:
        mark = self._look()
        if mark == self._mark and mark is not None:
            return
        # In this order: a change during the reading is seen at the next question.
        self._mark, before = mark, self._fault
        self._keys, self._fault = self._read()
        if self._fault and self._fault != before:
            _log.error("Nobody is let in: %s", self._fault)

    def _look(self) -> _Mark:
        try:
            found = self._path.stat()
        except OSError:
            return None
        # ctime, which also tells of a change of mode and cannot be set back.
        return found.st_ino, found.st_size, found.st_ctime_ns

    def _read(self) -> tuple[tuple[ApiKey, ...], str]:
        """The keys, or none and what is wrong."""
        try:
            return read_keys(self._path), ""
        except FileNotFoundError:
            return (), f"the file of keys `{self._path}` is gone"
        except SkincliError as error:
            return (), error.message

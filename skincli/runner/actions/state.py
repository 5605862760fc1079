"""What a supervisor notes on this machine: which process it is, and what it left at GitHub."""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from skincli.tracking.processes import is_alive
from skincli.tracking.writing import write_atomically


@dataclass(frozen=True, slots=True)
class Noted:
    """`process` names the supervisor, `runner` its newest runner at GitHub, "" before the first.

    `registered` are all names that GitHub may still list without a job, `doing` says what goes on
    `since` when, `jobs` counts what the supervisor has seen through. Unless the supervisor itself
    said that this is `over`, one that no longer runs was killed.
    """

    process: str
    repository: str
    runner: str = ""
    registered: tuple[str, ...] = ()
    doing: str = "starting"
    since: str = ""
    jobs: int = 0
    over: bool = False

    @property
    def running(self) -> bool:
        return is_alive(self.process)

    @property
    def pid(self) -> int:
        return int(self.process.partition(":")[0])


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one container's name, for this user alone."""

    name: str

    @property
    def folder(self) -> Path:
        root = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        return Path(root) / "skincli" / "runners"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def old_log(self) -> Path:
        return self.folder / f"{self.name}.log.1"

    @property
    def lock(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.folder / f"{self.name}.lock"

    @property
    def start_lock(self) -> Path:
        """Held by the command that starts one in the background."""
        return self.folder / f"{self.name}.start.lock"

    def make(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def read(self) -> Noted | None:
        """What was noted last, None where there is nothing that can be read."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            told = json.loads(self._state.read_text())
            return Noted(**told | {"registered": tuple(told["registered"])})
        return None

    def write(self, noted: Noted) -> None:
        write_atomically(self._state, json.dumps(asdict(noted), indent=1) + "\n")

    def forget(self) -> None:
        self._state.unlink(missing_ok=True)

    @property
    def _state(self) -> Path:
        return self.folder / f"{self.name}.json"


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

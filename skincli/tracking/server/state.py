"""Which server was started on a store, and whether it lives."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from skincli.tracking.processes import has_members, is_alive, process_token
from skincli.tracking.writing import write_atomically

_FILE: Final = "track.json"


@dataclass(frozen=True, slots=True)
class ServerState:
    """A server that was started here: how to reach it, and which process it is."""

    address: str
    process: str
    log: str
    store: str

    @property
    def pid(self) -> int:
        """Of its first process, which leads the group of all of them."""
        return int(self.process.partition(":")[0])

    @property
    def running(self) -> bool:
        """Whether any of its processes is left: workers outlive a leader that was killed."""
        if is_alive(self.process):
            return True
        # As long as a group of this number is left, no new process gets the number.
        return process_token(self.pid) == f"{self.pid}:" and has_members(self.pid)


def read_state(home: Path) -> ServerState | None:
    with suppress(OSError, ValueError, TypeError):
        return ServerState(**json.loads((home / _FILE).read_text()))
    return None


def write_state(home: Path, state: ServerState) -> None:
    write_atomically(home / _FILE, json.dumps(asdict(state), indent=1) + "\n")


def forget_state(home: Path) -> None:
    (home / _FILE).unlink(missing_ok=True)

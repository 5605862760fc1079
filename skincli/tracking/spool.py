"""The spool of a run: every event in order, one JSON line each, for the store to receive later.

Only the process that trains appends, and only whole lines count, so that a reader may follow it
at any time.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

from skincli.tracking.run_folder import RunFolder
from skincli.tracking.writing import append_line

Kind = Literal["metrics", "tags", "params", "status", "artifact", "bundle"]
_KINDS: Final = get_args(Kind)


def now_ms() -> int:
    """The present in milliseconds since 1970, as MLflow counts time."""
    return int(time.time() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something to tell the store.

    `values` holds metrics, tags or parameters by name; for a status `status`; for a file or a
    bundle `path`, relative to the run folder where it lies inside. `time` is in milliseconds
    since 1970.
    """

    kind: Kind
    values: Mapping[str, Any]
    step: int = 0
    time: int = field(default_factory=now_ms)


@dataclass(frozen=True, slots=True)
class Spool:
    """Offsets are in bytes from the beginning of the file, and always at the start of a line."""

    path: Path

    def append(self, event: Event) -> None:
        """Raises OSError when the disk does not take it; the spool is then as it was."""
        append_line(self.path, json.dumps(asdict(event)) + "\n")

    def read(self, offset: int) -> Iterator[tuple[Event, int]]:
        """Every whole event from `offset` on, each with the offset after it.

        From the beginning when `offset` is none of this file: a lost machine may have cut it.
        Lines that were damaged since are passed over.
        """
        if not self.path.exists():
            return
        with self.path.open("rb") as stream:
            position = offset if _starts_a_line(stream, offset) else 0
            stream.seek(position)
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                position += len(line)
                event = _parsed(line)
                if event is not None:
                    yield event, position

    def last(self, kind: Kind) -> Event | None:
        """The newest event of a kind, or None."""
        found = None
        for event, _ in self.read(0):
            found = event if event.kind == kind else found
        return found


def catch_up(folder: RunFolder) -> int:
    """Spool the epochs that only `metrics.csv` has: the process was killed in between.

    Returns the newest epoch, -1 when there is none.
    """
    spool = Spool(folder.spool)
    last = spool.last("metrics")
    newest = -1 if last is None else last.step
    for row in folder.read_metrics():
        step = int(row.pop("epoch"))
        if step > newest:
            time = int(folder.metrics.stat().st_mtime * 1000)
            spool.append(Event(kind="metrics", values=row, step=step, time=time))
            newest = step
    return newest


def _starts_a_line(stream: Any, offset: int) -> bool:
    if offset == 0:
        return True
    stream.seek(offset - 1)
    return bool(stream.read(1) == b"\n")


def _parsed(line: bytes) -> Event | None:
    try:
        event = Event(**json.loads(line))
    except (ValueError, TypeError):
        return None
    return event if event.kind in _KINDS and isinstance(event.values, dict) else None

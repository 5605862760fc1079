"""The run folder: the truth of a run on disk, of which MLflow receives a copy."""

import csv
import errno
import io
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from skincli.errors import SkincliError
from skincli.tracking.processes import host_name, is_alive, process_token
from skincli.tracking.writing import append_line, write_atomically

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]
RunKind = Literal["training", "search"]
STATE_FILE: Final = "run.json"
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class RunState:
    """What `run.json` holds. `process` tells whether the one that began the run still lives.

    `split_fingerprint` is that of the data it learns from. `parent` is the id of the run that it
    belongs to, such as a search.
    """

    run_id: str
    name: str
    status: Status
    started: str
    ended: str | None
    host: str
    process: str
    split_fingerprint: str
    parent: str | None = None
    kind: RunKind = "training"

    @property
    def started_ms(self) -> int:
        """Its beginning in milliseconds since 1970."""
        return _milliseconds(self.started)

    @property
    def ended_ms(self) -> int:
        """Its end in milliseconds since 1970; its beginning where it has none."""
        return _milliseconds(self.ended or self.started)

    @property
    def here(self) -> bool:
        """Whether it was begun on this host, whose processes can be seen."""
        return self.host == host_name()

    @property
    def alive(self) -> bool:
        """Whether it is under way in a process of this host."""
        return self.status == "RUNNING" and self.here and is_alive(self.process)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths and records of one run."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def environment(self) -> Path:
        return self.path / "environment.json"

    @property
    def failure(self) -> Path:
        return self.path / "failure.txt"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.csv"

    @property
    def spool(self) -> Path:
        return self.path / "spool.jsonl"

    @property
    def delivery(self) -> Path:
        """How far the spool was delivered, and to which store."""
        return self.path / "delivery.json"

    @property
    def curves(self) -> Path:
        return self.path / "curves.png"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def bundle(self) -> Path:
        return self.path / "bundle"

    def state(self) -> RunState:
        return RunState(**json.loads((self.path / STATE_FILE).read_text()))

    def write_state(self, state: RunState) -> None:
        write_atomically(self.path / STATE_FILE, json.dumps(asdict(state), indent=1) + "\n")

    def set_status(self, status: Status) -> None:
        ended = None if status == "RUNNING" else _now()
        changed = replace(
            self.state(), status=status, ended=ended, host=host_name(), process=process_token()
        )
        self.write_state(changed)

    def append_metrics(self, row: Mapping[str, float]) -> None:
        """Add one epoch to `metrics.csv`, the header with the first."""
        line = io.StringIO(newline="")
        writer = csv.DictWriter(line, list(row), lineterminator="\n")
        if not self._has_header():
            writer.writeheader()
        writer.writerow(row)
        append_line(self.metrics, line.getvalue())

    def _has_header(self) -> bool:
        """A header that a lost machine left torn is cut off with the next line."""
        return self.metrics.exists() and b"\n" in self.metrics.read_bytes()

    def read_metrics(self) -> list[dict[str, float]]:
        """The epochs written so far, in order; one that a resume repeated counts once."""
        if not self.metrics.exists():
            return []
        whole, _, _ = self.metrics.read_text().rpartition("\n")  # the last line may be torn
        lines = csv.DictReader(io.StringIO(whole))
        rows = [{k: float(v) for k, v in row.items()} for row in lines]
        return list({row["epoch"]: row for row in rows}.values())


def create_run_folder(
    root: Path,
    run_id: str,
    name: str,
    config_yaml: str,
    split_fingerprint: str,
    parent: str | None = None,
    kind: RunKind = "training",
) -> RunFolder:
    """Make `root/<UTC time>-<name>/` with its config and state."""
    now = datetime.now(UTC)
    slug = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") or "run"
    folder = RunFolder(root.absolute() / f"{now:%Y%m%d-%H%M%S}-{slug}-{run_id[:6]}")
    folder.path.mkdir(parents=True)
    folder.config.write_text(config_yaml)
    folder.write_state(
        RunState(
            run_id=run_id,
            name=name,
            status="RUNNING",
            started=_now(),
            ended=None,
            host=host_name(),
            process=process_token(),
            split_fingerprint=split_fingerprint,
            parent=parent,
            kind=kind,
        )
    )
    return folder


@contextmanager
def folder_errors(path: Path) -> Iterator[None]:
    """Say in plain words that a run folder cannot be written, and what is safe nevertheless."""
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if error.errno in _FULL else str(error.strerror or error)
        raise SkincliError(
            f"the run folder `{path}` cannot be written: {reason}; its last checkpoint is kept",
            "make room, then `skincli train --resume` goes on from it",
        ) from error


def unfinished_runs(root: Path) -> Iterator[RunFolder]:
    """Trainings that were begun and not finished, newest first.

    One that a living process holds is left out, and so is one that runs on another host, whose
    processes cannot be seen from here. A search and its trials are gone on with by the search.
    """
    for path in sorted(root.absolute().glob(f"*/{STATE_FILE}"), reverse=True):
        folder = RunFolder(path.parent)
        try:
            state = folder.state()
        except (ValueError, TypeError):
            continue  # a damaged record cannot be gone on with
        held = state.alive or (state.status == "RUNNING" and not state.here)
        searching = state.kind == "search" or state.parent is not None
        if state.status != "FINISHED" and not held and not searching:
            yield folder


def as_json(content: Any) -> str:
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _milliseconds(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp() * 1000)

"""The run folder: the truth of a run on disk, of which MLflow receives a copy."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from skincli.tracking.processes import host_name, is_alive, process_token

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True, slots=True)
class RunState:
    """What `run.json` holds. `process` tells whether the one that began the run still lives.

    `split_fingerprint` is that of the data it learns from.
    """

    run_id: str
    name: str
    status: Status
    started: str
    ended: str | None
    host: str
    process: str
    split_fingerprint: str


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
    def curves(self) -> Path:
        return self.path / "curves.png"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def bundle(self) -> Path:
        return self.path / "bundle"

    def state(self) -> RunState:
        return RunState(**json.loads((self.path / "run.json").read_text()))

    def write_state(self, state: RunState) -> None:
        write_atomically(self.path / "run.json", json.dumps(asdict(state), indent=1) + "\n")

    def set_status(self, status: Status) -> None:
        ended = None if status == "RUNNING" else _now()
        changed = replace(
            self.state(), status=status, ended=ended, host=host_name(), process=process_token()
        )
        self.write_state(changed)

    def append_metrics(self, row: Mapping[str, float]) -> None:
        """Add one epoch to `metrics.csv`, the header with the first."""
        new = not self.metrics.exists()
        with self.metrics.open("a", newline="") as stream:
            writer = csv.DictWriter(stream, list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)

    def read_metrics(self) -> list[dict[str, float]]:
        """The epochs written so far, in order; one that a resume repeated counts once."""
        if not self.metrics.exists():
            return []
        with self.metrics.open(newline="") as stream:
            rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(stream)]
        return list({row["epoch"]: row for row in rows}.values())


def create_run_folder(
    root: Path, run_id: str, name: str, config_yaml: str, split_fingerprint: str
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
        )
    )
    return folder


def unfinished_runs(root: Path) -> Iterator[RunFolder]:
    """Runs that were begun and not finished, newest first.

    One that a living process holds is left out, and so is one that runs on another host, whose
    processes cannot be seen from here.
    """
    for path in sorted(root.absolute().glob("*/run.json"), reverse=True):
        folder = RunFolder(path.parent)
        try:
            state = folder.state()
        except (ValueError, TypeError):
            continue  # a damaged record cannot be gone on with
        elsewhere = state.host != host_name()
        held = state.status == "RUNNING" and (elsewhere or is_alive(state.process))
        if state.status != "FINISHED" and not held:
            yield folder


def write_atomically(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    partial.replace(path)


def as_json(content: Any) -> str:
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

"""What is known of a search and its trials, apart from the engine that runs it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

TrialState = Literal["complete", "pruned", "failed"]


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One trial that has ended.

    `value` is the metric at the epoch whose weights were kept; of a pruned trial, at its last
    epoch; None if there was none. `values` are what was drawn, by key. `run_id` is known of
    complete trials. `reason` says why a trial failed.
    """

    number: int
    state: TrialState
    value: float | None
    values: dict[str, float | str]
    epochs: int
    seconds: float
    run_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class TuneResult:
    """A finished search, its trials in order, and the YAML with the best of them.

    `caution` is a sentence where that YAML is outvoted by another layer here, else empty.
    """

    study: str
    metric: str
    trials: tuple[TrialRecord, ...]
    best: TrialRecord
    output: Path
    caution: str
    run_id: str
    folder: Path
    synthetic: bool


def ranked(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The complete trials, best first; of equals the earlier."""
    complete = [trial for trial in trials if trial.state == "complete"]
    return sorted(complete, key=lambda trial: -(trial.value or 0.0))

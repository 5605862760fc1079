"""The loop of a search: draw, train, tell; until there are as many trials as were asked for."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from skincli.config.changing import with_values
from skincli.config.schema import Config
from skincli.errors import SkincliError, Stopped, UsageError
from skincli.progress import Progress
from skincli.tuning.ranges import LAYER
from skincli.tuning.records import TrialRecord, ranked

if TYPE_CHECKING:
    from optuna.trial import Trial

    from skincli.tuning.study import Study

_FAILURES_IN_A_ROW: Final = 3


@dataclass(frozen=True, slots=True)
class Kept:
    """What a trial's run came to: its id, and the epoch (from 0) whose weights were kept."""

    run_id: str
    epoch: int


OnEpoch = Callable[[int, Mapping[str, float]], None]
Attempt = Callable[[Config, OnEpoch], Kept]


def search(
    study: "Study", config: Config, attempt: Attempt, progress: Progress
) -> Iterator[TrialRecord]:
    """Each new trial as it ends. `attempt` trains one config and reports each of its epochs.

    A trial that fails is told as such and the search goes on. Raises what a user must mend
    (UsageError), SkincliError when nothing but failures comes, and Interrupted: the trial that it
    cut off is repeated at the next start.
    """
    done, failures = study.records(), 0
    with progress.step("Trials", config.tune.trials) as step:
        step.advance(len(done))
        while len(done) < config.tune.trials:
            record = _one(study, config, attempt)
            done = (*done, record)
            progress.note(_line(record, done))
            step.advance()
            yield record
            failures = failures + 1 if record.state == "failed" else 0
            if failures == _FAILURES_IN_A_ROW:
                raise SkincliError(
                    f"{failures} trials in a row failed, the last because {record.reason}",
                    "narrow `tune.ranges`, or mend what is named; the study is kept",
                )


def _one(study: "Study", config: Config, attempt: Attempt) -> TrialRecord:
    trial = study.ask()
    try:
        drawn = _config_of(trial, config)
        watch = _Watch(trial, drawn)
        kept = attempt(drawn, watch)
        return study.complete(trial, watch.values[kept.epoch], kept.run_id)
    except Stopped:
        return study.prune(trial)
    except BaseException as error:
        if isinstance(error, SkincliError) and not isinstance(error, UsageError):
            return study.fail(trial, error.message)
        study.give_up(trial)
        raise


class _Watch:
    """Sees each epoch of a trial, and ends it by raising Stopped when it falls behind."""

    def __init__(self, trial: "Trial", config: Config) -> None:
        self.values: dict[int, float] = {}
        self._trial = trial
        self._metric = config.tune.metric
        # A probe has one epoch, after which there is nothing left to save.
        self._last = 0 if config.train.mode == "probe" else config.trainer.max_epochs - 1

    def __call__(self, epoch: int, figures: Mapping[str, float]) -> None:
        value = figures.get(self._metric, math.nan)
        if math.isnan(value):
            raise UsageError(
                f"the validation part does not define {self._metric}",
                "it may lack a diagnosis: see `skincli data info`, or set tune.metric",
            )
        self.values[epoch] = value
        self._trial.report(value, epoch)
        if epoch < self._last and self._trial.should_prune():
            raise Stopped(f"trial {self._trial.number} fell behind at epoch {epoch + 1}")


def _config_of(trial: "Trial", config: Config) -> Config:
    name = f"tune-{config.tune.study}-{trial.number:04d}"
    return with_values(config, {**trial.params, "run.name": name}, LAYER)


def _line(record: TrialRecord, done: tuple[TrialRecord, ...]) -> str:
    ended: str = record.state
    if record.state == "failed":
        ended += f": {record.reason}"
    elif record.value is not None:
        after = f" after epoch {record.epochs}" if record.state == "pruned" else ""
        ended += f"{after} at {record.value:.4f}"
    best = ranked(done)
    best_so_far = f"; best so far {best[0].value:.4f} in trial {best[0].number}" if best else ""
    drawn = ", ".join(f"{key} {shown(value)}" for key, value in record.values.items())
    return f"Trial {record.number} ({drawn}): {ended}{best_so_far}"


def shown(value: float | str) -> str:
    """A drawn value with as many digits as matter."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)

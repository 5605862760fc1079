"""A study: Optuna asked for trials and told how they ended. It and `opening` alone know Optuna."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, Trial, TrialState

from skincli.tuning.ranges import Choice, Range
from skincli.tuning.records import TrialRecord

_ENDED: Final = (TrialState.COMPLETE, TrialState.PRUNED)


class Study:
    """Asks Optuna for trials and tells it how they ended.

    A failed trial is told as pruned, from which the sampler learns to keep away. One that was
    given up counts for nothing: the next draws its values again.
    """

    def __init__(self, inner: optuna.Study, ranges: tuple[Range, ...], seed: int) -> None:
        self._inner = inner
        self._distributions = {each.key: _distribution(each) for each in ranges}
        self._seed = seed

    @property
    def notes(self) -> Mapping[str, Any]:
        """What was kept with `keep_note`."""
        return self._inner.user_attrs

    def keep_note(self, name: str, content: object) -> None:
        self._inner.set_user_attr(name, content)

    def records(self) -> tuple[TrialRecord, ...]:
        """The trials that have ended by themselves, in order."""
        trials = self._inner.get_trials(deepcopy=False, states=_ENDED)
        return tuple(_record(trial, list(self._distributions)) for trial in trials)

    def ask(self) -> Trial:
        """A new trial. What it draws is a function of the seed and of the trials that have ended,
        not of how many starts of the search they took."""
        state = np.random.SeedSequence((self._seed, len(self.records()))).generate_state(1)
        self._inner.sampler = optuna.samplers.TPESampler(seed=int(state[0]))
        return self._inner.ask(self._distributions)

    def complete(self, trial: Trial, value: float, run_id: str) -> TrialRecord:
        trial.set_user_attr("run_id", run_id)
        self._inner.tell(trial, value)
        return self.records()[-1]

    def prune(self, trial: Trial) -> TrialRecord:
        self._inner.tell(trial, state=TrialState.PRUNED)
        return self.records()[-1]

    def fail(self, trial: Trial, reason: str) -> TrialRecord:
        trial.set_user_attr("failed", reason)
        return self.prune(trial)

    def give_up(self, trial: Trial | FrozenTrial) -> None:
        """End a trial that was cut off."""
        self._inner.tell(trial.number, state=TrialState.FAIL)

    def give_up_killed(self) -> None:
        """The same for a trial that a dead process left as running."""
        for trial in self._inner.get_trials(states=(TrialState.RUNNING,)):
            self.give_up(trial)


def _distribution(each: Range) -> BaseDistribution:
    if isinstance(each, Choice):
        return CategoricalDistribution(each.options)
    if isinstance(each.low, int) and isinstance(each.high, int):
        return IntDistribution(each.low, each.high, log=each.log)
    return FloatDistribution(each.low, each.high, log=each.log)


def _record(trial: FrozenTrial, keys: list[str]) -> TrialRecord:
    reason = trial.user_attrs.get("failed")
    complete = trial.state == TrialState.COMPLETE
    return TrialRecord(
        number=trial.number,
        state="failed" if reason is not None else "complete" if complete else "pruned",
        value=trial.value,
        values={key: trial.params[key] for key in keys},
        epochs=len(trial.intermediate_values),
        seconds=trial.duration.total_seconds() if trial.duration else 0.0,
        run_id=trial.user_attrs.get("run_id"),
        reason=reason or "",
    )

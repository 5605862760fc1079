"""From stored evaluations to the figures, tables and curves of a report."""

import dataclasses
from typing import Final

import numpy as np

from skincli.config.operating import EvaluateConfig
from skincli.evaluation.calibration import reliability
from skincli.evaluation.compare import Difference, paired_differences
from skincli.evaluation.predictions import Predictions
from skincli.evaluation.ranking import Ranking
from skincli.evaluation.resampling import Interval
from skincli.evaluation.stored import StoredEvaluation
from skincli.progress import Progress
from skincli.reporting.facts import Bins, Figure, Measured, Roc

# False alarms of the curve: 0, 0.025, ... 1.
_FALSE_ALARMS: Final = np.linspace(0, 1, 41)


def measured(
    ours: StoredEvaluation,
    theirs: StoredEvaluation | None,
    settings: EvaluateConfig,
    progress: Progress,
) -> Measured:
    """What the model's evaluation holds, beside the champion's on the same images if there is one.

    Raises ModelError when the two are of different images or tasks, DataError when one is damaged.
    """
    record, said = ours.record, ours.predictions()
    champion = theirs.predictions() if theirs else None
    return Measured(
        test_split=record["test_fingerprint"][:12],
        n_images=len(said.labels),
        n_lesions=len(set(said.lesions)),
        classes=tuple(info.code for info in said.classes),
        figures=_figures(ours, theirs, _differences(said, champion, settings, progress)),
        confusion=tuple(tuple(row) for row in record["metrics"]["confusion"]),
        roc=_roc(said, champion),
        reliability=_bins(said),
        subgroups=tuple(record["subgroups"]),
    )


def _differences(
    ours: Predictions, theirs: Predictions | None, settings: EvaluateConfig, progress: Progress
) -> dict[str, Difference]:
    if theirs is None:
        return {}
    how_often, seed = settings.resamples, settings.seed
    return paired_differences(ours, theirs, resamples=how_often, seed=seed, progress=progress)


def _figures(
    ours: StoredEvaluation, theirs: StoredEvaluation | None, differences: dict[str, Difference]
) -> dict[str, Figure]:
    found = ours.record["intervals"]
    champion = theirs.record["intervals"] if theirs else {}
    return {
        name: Figure(
            model=_interval(found.get(name)),
            champion=_interval(champion.get(name)),
            difference=differences.get(name),
        )
        for name in found | champion
    }


def _interval(stored: dict[str, float] | None) -> Interval | None:
    return None if stored is None else Interval(**stored)


def _roc(ours: Predictions, theirs: Predictions | None) -> Roc:
    return Roc(
        false_alarms=tuple(_FALSE_ALARMS.tolist()),
        model=_sensitivities(ours),
        champion=_sensitivities(theirs) if theirs else None,
    )


def _sensitivities(said: Predictions) -> tuple[float, ...] | None:
    ones = np.ones((1, len(said.labels)))
    ranked = Ranking(said.is_malignant, said.malignant).under(ones)
    found = [float(ranked.sensitivity_at(1 - alarms)[0]) for alarms in _FALSE_ALARMS]
    return tuple(found) if np.isfinite(found).all() else None


def _bins(said: Predictions) -> Bins:
    found = reliability(said.probabilities, said.labels)
    lists = (getattr(found, each.name).tolist() for each in dataclasses.fields(found))
    confidence, accuracy, count = map(tuple, lists)
    return Bins(confidence=confidence, accuracy=accuracy, n_images=count)

"""How far the source of an image gives its diagnosis away: a shortcut that a model may learn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skincli.config.operating import EvaluateConfig
from skincli.data import Sample
from skincli.data.seeing.association import cramers_v
from skincli.evaluation.diagnosing import class_rankings
from skincli.evaluation.predictions import Predictions
from skincli.evaluation.resampling import Interval, intervals, point_figures, resampled
from skincli.progress import Silent
from skincli.taxonomy import Task, label_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """`cramers_v` between source and class on the evaluated images, from 0 (none) to 1.

    `macro_auroc` is that of a guess by the source alone: each class is as likely as it was among
    the source's images in the other parts of the set. 0.5 is chance. None where all of a set was
    evaluated, so that there are no others.
    """

    n_sources: int
    cramers_v: float | None
    macro_auroc: Interval | None


def measure_shortcut(
    predictions: Predictions, others: Sequence[Sample], task: Task, settings: EvaluateConfig
) -> Shortcut | None:
    """None where one source, or none, is known. `others` are the samples of the other parts."""
    here = [sample.dataset for sample in predictions.samples]
    sources = sorted({*here, *(sample.dataset for sample in others)})
    n_sources = len(set(here))
    if n_sources < 2:
        return None
    place = {source: row for row, source in enumerate(sources)}
    rows = np.array([place[source] for source in here])
    n_classes = len(predictions.classes)
    seen = np.array([label_of(sample.dx, task) for sample in others], dtype=np.int64)
    table = _counts(rows, predictions.labels, len(sources), n_classes)
    learnt = _counts(
        np.array([place[s.dataset] for s in others], dtype=np.intp), seen, len(sources), n_classes
    )
    return Shortcut(
        n_sources=n_sources,
        cramers_v=cramers_v(table),
        macro_auroc=_ranking(predictions, rows, learnt, settings) if len(others) else None,
    )


def _ranking(
    predictions: Predictions,
    rows: NDArray[np.intp],
    learnt: NDArray[np.int64],
    settings: EvaluateConfig,
) -> Interval | None:
    # One image of every class is added, so that a source that is new, or rare, says little.
    shares = (learnt + 1) / (learnt + 1).sum(axis=1, keepdims=True)
    scores = shares[rows].astype(np.float32)
    measure = class_rankings(predictions.labels, scores, predictions.classes)
    drawn = resampled(measure, predictions.lesions, settings.resamples, settings.seed, Silent())
    return intervals(point_figures(measure, len(rows)), drawn).get("macro_auroc")


def _counts(
    rows: NDArray[np.intp], labels: NDArray[np.integer], n_rows: int, n_classes: int
) -> NDArray[np.int64]:
    """Images `[n_rows, n_classes]` by source and class."""
    cells = rows * n_classes + labels
    return np.bincount(cells, minlength=n_rows * n_classes).reshape(n_rows, n_classes)

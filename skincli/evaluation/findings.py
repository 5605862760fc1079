"""All that one evaluation finds out, and about which model on which images."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from skincli.bundle import BundleSpec
from skincli.config.operating import EvaluateConfig
from skincli.data import Manifest, PreparedSet
from skincli.evaluation.abstention import Abstention, measure_abstention
from skincli.evaluation.calibration import untempered
from skincli.evaluation.figures import all_figures, calibration
from skincli.evaluation.metrics import Metrics, metrics_of
from skincli.evaluation.predictions import Predictions
from skincli.evaluation.resampling import Interval, intervals, point_figures, resampled
from skincli.evaluation.shortcut import Shortcut, measure_shortcut
from skincli.evaluation.subgroups import Subgroup, measure_subgroups
from skincli.inference.engine import Classifier
from skincli.progress import Progress, Silent

EvaluatedPart = Literal["test", "external"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Which model was evaluated on what. `key` names the images in paths and in the store."""

    bundle_digest: str
    model: str
    version: str | None
    run_id: str | None
    spec: BundleSpec
    manifest: Manifest
    part: EvaluatedPart

    @property
    def key(self) -> str:
        """12 hex digits of the fingerprint of the images that were scored."""
        of_test = self.part == "test"
        manifest = self.manifest
        return (manifest.test_fingerprint if of_test else manifest.dataset_fingerprint)[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """`intervals` are those of `metrics`, by name; `per_class.mel.auroc` is one of a class.

    `uncalibrated` are ECE, Brier score and log loss without temperature scaling. `shortcut` is
    None where the images come from one source.
    """

    metrics: Metrics
    intervals: dict[str, Interval]
    uncalibrated: dict[str, Interval]
    subgroups: tuple[Subgroup, ...]
    shortcut: Shortcut | None
    abstention: Abstention


def measure(
    predictions: Predictions,
    classifier: Classifier,
    prepared: PreparedSet,
    rows: NDArray[np.intp],
    settings: EvaluateConfig,
    progress: Progress,
) -> Findings:
    """Measure `predictions`, what `classifier` said of the `rows` of a prepared set.

    Raises ModelError when a score is not a finite number.
    """
    spec = classifier.spec
    figures = all_figures(predictions)
    point = point_figures(figures, len(rows))
    resamples, seed = settings.resamples, settings.seed
    drawn = resampled(figures, predictions.lesions, resamples, seed, progress)
    evaluated = set(rows.tolist())
    others = [s for row, s in enumerate(prepared.samples) if row not in evaluated]
    return Findings(
        metrics=metrics_of(predictions, point, spec.operating_point),
        intervals=intervals(point, drawn),
        uncalibrated=_uncalibrated(predictions, spec.temperature, settings),
        subgroups=measure_subgroups(predictions, settings, progress),
        shortcut=measure_shortcut(predictions, others, spec.task, settings),
        abstention=measure_abstention(predictions, classifier, prepared, rows, progress),
    )


def _uncalibrated(
    predictions: Predictions, temperature: float, settings: EvaluateConfig
) -> dict[str, Interval]:
    figures = calibration(predictions.labels, untempered(predictions.probabilities, temperature))
    drawn = resampled(figures, predictions.lesions, settings.resamples, settings.seed, Silent())
    return intervals(point_figures(figures, len(predictions.labels)), drawn)

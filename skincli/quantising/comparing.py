"""What a bundle and its int8 twin say of the calibration part, and how fast."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from skincli.bundle import Bundle, Precision
from skincli.config.operating import Int8Config
from skincli.config.schema import Config
from skincli.data import PreparedSet
from skincli.evaluation.metrics import compute_metrics
from skincli.evaluation.predictions import Predictions
from skincli.evaluation.scoring import score_rows
from skincli.imaging import Pixels
from skincli.inference.engine import Classifier, Network
from skincli.progress import Progress

_ROUNDS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Figures of one network with what is sealed beside it.

    `malignant_*` are at its own operating point. `milliseconds` are for one image in one thread,
    the median of rounds in turns with the other; `megabytes` are those of its file.
    """

    precision: Precision
    log_loss: float
    balanced_accuracy: float | None
    macro_auroc: float | None
    malignant_sensitivity: float | None
    malignant_specificity: float | None
    temperature: float
    operating_point: float
    milliseconds: float
    megabytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both engines on the same images. `same_diagnosis` is a share of these; the differences are
    absolute, over the probabilities of all images and classes."""

    n_images: int
    float32: Engine
    int8: Engine
    same_diagnosis: float
    largest_difference: float
    mean_difference: float


@dataclass(frozen=True, slots=True)
class Loss:
    """By how much int8 is worse in one figure, and by how much it may be."""

    name: str
    value: float
    limit: float

    @property
    def ok(self) -> bool:
        return self.value <= self.limit


def compare_engines(
    config: Config, pair: tuple[Bundle, Bundle], prepared: PreparedSet, progress: Progress
) -> Comparison:
    """Measure a float32 bundle and its int8 one, in this order, on the calibration part."""
    rows = prepared.rows("calibration")
    size, threads = config.inference.batch_size, config.inference.threads
    ours, theirs = (
        score_rows(Classifier(bundle, threads), prepared, rows, size, progress) for bundle in pair
    )
    times = _milliseconds(pair, prepared.images[rows[:_ROUNDS]])
    difference = np.abs(ours.probabilities - theirs.probabilities)
    return Comparison(
        n_images=len(rows),
        float32=_engine(pair[0], ours, times[0]),
        int8=_engine(pair[1], theirs, times[1]),
        same_diagnosis=float((ours.decided == theirs.decided).mean()),
        largest_difference=float(difference.max()),
        mean_difference=float(difference.mean()),
    )


def losses(found: Comparison, settings: Int8Config) -> tuple[Loss, ...]:
    """What int8 loses, each with its bound.

    Sensitivity has none: its own operating point holds that to what was asked for, and what that
    costs is specificity.
    """
    before, after = found.float32, found.int8
    return (
        Loss("log loss", after.log_loss - before.log_loss, settings.max_log_loss),
        Loss(
            "balanced accuracy",
            _drop(before.balanced_accuracy, after.balanced_accuracy),
            settings.max_accuracy_loss,
        ),
        Loss(
            "malignant specificity",
            _drop(before.malignant_specificity, after.malignant_specificity),
            settings.max_specificity_loss,
        ),
    )


def _drop(before: float | None, after: float | None) -> float:
    """None, for want of such images, is the same for both."""
    return 0.0 if before is None or after is None else before - after


def _engine(bundle: Bundle, said: Predictions, milliseconds: float) -> Engine:
    spec = bundle.spec
    metrics = compute_metrics(
        said.labels,
        said.probabilities,
        said.decided,
        said.malignant,
        spec.classes,
        spec.operating_point,
    )
    assert metrics.log_loss is not None  # of no image alone
    return Engine(
        precision=spec.precision,
        log_loss=metrics.log_loss,
        balanced_accuracy=metrics.balanced_accuracy,
        macro_auroc=metrics.macro_auroc,
        malignant_sensitivity=metrics.malignant_sensitivity,
        malignant_specificity=metrics.malignant_specificity,
        temperature=spec.temperature,
        operating_point=spec.operating_point,
        milliseconds=milliseconds,
        megabytes=bundle.model.stat().st_size / 1e6,
    )


def _milliseconds(bundles: Sequence[Bundle], images: Pixels) -> list[float]:
    """The median time of each network for one image."""
    networks = [Network(bundle.model, 1, bundle.spec.views) for bundle in bundles]
    for network in networks:
        network(images[:1])  # the first is slower
    times: list[list[float]] = [[] for _ in networks]
    for image in images:
        for network, found in zip(networks, times, strict=True):
            began = time.perf_counter()
            network(image[None])
            found.append(time.perf_counter() - began)
    return [1000 * statistics.median(found) for found in times]

"""The figures of merit of one model on one set of images.

Sensitivity, specificity and balanced accuracy follow Brodersen et al. 2010
(doi:10.1109/ICPR.2010.764); AUROC is the probability that a positive image scores above a
negative one, ties counting half (Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747);
average precision is the step-wise area under the precision-recall curve, without interpolation.
A value that the images do not define (no melanoma among them, say) is None, and a macro average
runs over the classes that define it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skincli.errors import ModelError
from skincli.evaluation.calibration import Flags, Floats, Labels, expected_calibration_error
from skincli.taxonomy import ClassInfo

HEADLINE: Final = (
    "accuracy",
    "balanced_accuracy",
    "macro_auroc",
    "melanoma_sensitivity",
    "malignant_auroc",
    "malignant_sensitivity",
    "malignant_specificity",
    "ece",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMetrics:
    """One class against the rest; sensitivity and specificity are those of the diagnoses."""

    n: int
    sensitivity: float | None
    specificity: float | None
    auroc: float | None
    average_precision: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """`malignant_*` but the AUROC are at the operating point, the rest are of the diagnoses.

    A binary model knows no melanoma: its `melanoma_*` are those of the malignant class.
    `confusion` counts images, a row per true class, a column per predicted one.
    """

    n: int
    accuracy: float | None
    balanced_accuracy: float | None
    macro_auroc: float | None
    melanoma_sensitivity: float | None
    malignant_auroc: float | None
    operating_point: float
    malignant_sensitivity: float | None
    malignant_specificity: float | None
    melanoma_sensitivity_at_operating_point: float | None
    ece: float | None
    per_class: dict[str, ClassMetrics]
    confusion: tuple[tuple[int, ...], ...]


def compute_metrics(
    labels: Labels,
    probabilities: Floats,
    decided: NDArray[np.intp],
    malignant: Floats,
    classes: tuple[ClassInfo, ...],
    operating_point: float,
) -> Metrics:
    """Metrics of N images with true `labels [N]`, `probabilities [N, C]` and `malignant [N]`.

    `decided [N]` are the diagnoses, as places of `classes`.

    Raises ModelError when a score is not a finite number: such a model has no figures.
    """
    _require_finite(probabilities, malignant)
    confusion = confusion_counts(labels, decided, len(classes))
    per_class = {
        info.code: _class_metrics(index, labels, probabilities[:, index], confusion)
        for index, info in enumerate(classes)
    }
    is_malignant = np.isin(labels, [i for i, info in enumerate(classes) if info.malignant])
    flagged = malignant >= operating_point
    melanoma = _melanoma(classes)
    return Metrics(
        n=len(labels),
        accuracy=_share(int(np.trace(confusion)), len(labels)),
        balanced_accuracy=_mean(item.sensitivity for item in per_class.values()),
        macro_auroc=_mean(item.auroc for item in per_class.values()),
        melanoma_sensitivity=per_class[classes[melanoma].code].sensitivity,
        malignant_auroc=_auroc(is_malignant, malignant),
        operating_point=operating_point,
        malignant_sensitivity=_rate(flagged, is_malignant),
        malignant_specificity=_rate(~flagged, ~is_malignant),
        melanoma_sensitivity_at_operating_point=_rate(flagged, labels == melanoma),
        ece=expected_calibration_error(probabilities, labels),
        per_class=per_class,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )


def headline(metrics: Metrics) -> dict[str, float]:
    """The defined ones of the few figures that a model is compared by, under their flat names."""
    values = {name: getattr(metrics, name) for name in HEADLINE}
    return {name: value for name, value in values.items() if value is not None}


def confusion_counts(labels: Labels, decided: NDArray[np.intp], n_classes: int) -> NDArray[np.intp]:
    """Counts `[C, C]`: true class by diagnosis."""
    cells = labels * n_classes + decided
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def _class_metrics(
    index: int, labels: Labels, scores: Floats, confusion: NDArray[np.intp]
) -> ClassMetrics:
    is_class = labels == index
    positives, hits = int(is_class.sum()), int(confusion[index, index])
    false_alarms = int(confusion[:, index].sum()) - hits
    negatives = len(labels) - positives
    return ClassMetrics(
        n=positives,
        sensitivity=_share(hits, positives),
        specificity=_share(negatives - false_alarms, negatives),
        auroc=_auroc(is_class, scores),
        average_precision=_average_precision(is_class, scores),
    )


def _melanoma(classes: tuple[ClassInfo, ...]) -> int:
    """The output that speaks for melanoma: `mel`, or `malignant` for a binary model."""
    codes = [info.code for info in classes]
    return codes.index("mel" if "mel" in codes else "malignant")


def _auroc(positive: Flags, scores: Floats) -> float | None:
    from sklearn.metrics import roc_auc_score

    defined = positive.any() and not positive.all()
    return float(roc_auc_score(positive, scores)) if defined else None


def _average_precision(positive: Flags, scores: Floats) -> float | None:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(positive, scores)) if positive.any() else None


def _rate(hit: Flags, among: Flags) -> float | None:
    return _share(int((hit & among).sum()), int(among.sum()))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(values: Iterable[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None


def _require_finite(probabilities: Floats, malignant: Floats) -> None:
    finite = np.isfinite(probabilities).all(axis=1) & np.isfinite(malignant)
    if not finite.all():
        raise ModelError(
            f"the model gave {int((~finite).sum()):,} of {len(finite):,} images a score that is "
            "not a finite number",
            "train again, with a lower `optimizer.lr`",
        )

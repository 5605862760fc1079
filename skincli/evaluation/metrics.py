"""The figures of merit of one model on one set of images, each image counting once.

A value that the images do not define (no melanoma among them, say) is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skincli.evaluation.answers import Answers
from skincli.evaluation.calibration import Floats, Labels
from skincli.evaluation.diagnosing import CLASS_FIGURES, confusion
from skincli.evaluation.figures import all_figures
from skincli.evaluation.resampling import point_figures
from skincli.taxonomy import ClassInfo

HEADLINE: Final = (
    "accuracy",
    "balanced_accuracy",
    "macro_auroc",
    "melanoma_sensitivity",
    "malignant_auroc",
    "malignant_sensitivity",
    "malignant_specificity",
    "melanoma_sensitivity_at_operating_point",
    "ece",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMetrics:
    """One class against the rest; all but the last two are those of the diagnoses."""

    n: int
    sensitivity: float | None
    specificity: float | None
    precision: float | None
    f1: float | None
    balanced_accuracy: float | None
    auroc: float | None
    average_precision: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """`malignant_sensitivity` and `malignant_specificity` are at the operating point.

    Those of the form `sensitivity_at_90_specificity` are at the threshold that these very images
    would choose: what the ranking allows, not what was decided. A binary model knows no melanoma:
    its `melanoma_*` are those of the malignant class. `confusion` counts images, a row per true
    class, a column per predicted one.
    """

    n: int
    operating_point: float
    accuracy: float | None
    balanced_accuracy: float | None
    kappa: float | None
    macro_specificity: float | None
    macro_precision: float | None
    macro_f1: float | None
    macro_auroc: float | None
    macro_average_precision: float | None
    melanoma_sensitivity: float | None
    melanoma_sensitivity_at_operating_point: float | None
    melanoma_sensitivity_at_90_specificity: float | None
    melanoma_sensitivity_at_95_specificity: float | None
    melanoma_specificity_at_90_sensitivity: float | None
    melanoma_specificity_at_95_sensitivity: float | None
    malignant_auroc: float | None
    malignant_average_precision: float | None
    malignant_sensitivity: float | None
    malignant_specificity: float | None
    malignant_sensitivity_at_90_specificity: float | None
    malignant_sensitivity_at_95_specificity: float | None
    malignant_specificity_at_90_sensitivity: float | None
    malignant_specificity_at_95_sensitivity: float | None
    ece: float | None
    brier: float | None
    log_loss: float | None
    per_class: dict[str, ClassMetrics]
    confusion: tuple[tuple[int, ...], ...]


# The figures that stand for all classes: each has its name here and in `all_figures`.
_OVERALL: Final = tuple(
    field.name
    for field in fields(Metrics)
    if field.name not in {"n", "operating_point", "per_class", "confusion"}
)


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
    answers = Answers(
        labels=labels,
        probabilities=probabilities,
        decided=decided,
        malignant=malignant,
        flagged=malignant >= operating_point,
        classes=classes,
    )
    point = point_figures(all_figures(answers), len(labels))
    return metrics_of(answers, point, operating_point)


def metrics_of(
    answers: Answers, point: Mapping[str, float | None], operating_point: float
) -> Metrics:
    """The plain figures of `answers`, named and in order."""
    table = confusion(answers)(np.ones((1, len(answers.labels))))[0].astype(np.intp)
    return Metrics(
        n=len(answers.labels),
        operating_point=operating_point,
        **{name: point[name] for name in _OVERALL},
        per_class={
            info.code: ClassMetrics(
                n=int(table[index].sum()),
                **{name: point[f"per_class.{info.code}.{name}"] for name in CLASS_FIGURES},
            )
            for index, info in enumerate(answers.classes)
        },
        confusion=tuple(tuple(row) for row in table.tolist()),
    )


def headline(metrics: Metrics) -> dict[str, float]:
    """The defined ones of the few figures that a model is compared by, under their flat names."""
    values = {name: getattr(metrics, name) for name in HEADLINE}
    return {name: value for name, value in values.items() if value is not None}

"""Figures of the diagnoses, and of how well each class is ranked above the rest.

Sensitivity, specificity and balanced accuracy follow Brodersen et al. 2010
(doi:10.1109/ICPR.2010.764), precision and F1 van Rijsbergen 1979, kappa Cohen 1960
(doi:10.1177/001316446002000104). A macro figure is the mean over the classes that define it.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from skincli.evaluation.answers import Answers
from skincli.evaluation.calibration import Floats, Labels
from skincli.evaluation.ranking import Figures, Measure, Ranking, Values, Weights, share
from skincli.taxonomy import ClassInfo

CLASS_FIGURES: Final = (
    "sensitivity", "specificity", "precision", "f1", "balanced_accuracy", "auroc",
    "average_precision",
)  # fmt: skip


def confusion(answers: Answers) -> Callable[[Weights], Values]:
    """Weights `[B, C, C]` of the images by true class and diagnosis."""
    n_classes = len(answers.classes)
    cells = np.eye(n_classes**2)[answers.labels * n_classes + answers.decided]
    return lambda weights: (weights @ cells).reshape(-1, n_classes, n_classes)


def diagnoses(answers: Answers) -> Measure:
    """What follows from the confusion matrix of the diagnoses."""
    count = confusion(answers)
    codes = [info.code for info in answers.classes]

    def measure(weights: Weights) -> Figures:
        table = count(weights)
        by_class = _one_against_the_rest(table)
        found = {
            f"per_class.{code}.{name}": values[:, index]
            for index, code in enumerate(codes)
            for name, values in by_class.items()
        }
        macro = {
            f"macro_{name}": _mean(by_class[name]) for name in ("specificity", "precision", "f1")
        }
        overall = {"balanced_accuracy": _mean(by_class["sensitivity"])}
        overall["melanoma_sensitivity"] = by_class["sensitivity"][:, answers.melanoma]
        return _agreement(table) | overall | macro | found

    return measure


def class_rankings(labels: Labels, scores: Floats, classes: tuple[ClassInfo, ...]) -> Measure:
    """How well each column of `scores [N, C]` ranks its class above the rest."""
    rankings = [Ranking(labels == index, scores[:, index]) for index in range(len(classes))]

    def measure(weights: Weights) -> Figures:
        found = {}
        for info, ranking in zip(classes, rankings, strict=True):
            ranked = ranking.under(weights)
            found[f"per_class.{info.code}.auroc"] = ranked.auroc()
            found[f"per_class.{info.code}.average_precision"] = ranked.average_precision()
        macro = {
            f"macro_{name}": _mean(
                np.stack([found[f"per_class.{info.code}.{name}"] for info in classes], axis=1)
            )
            for name in ("auroc", "average_precision")
        }
        return macro | found

    return measure


def _one_against_the_rest(table: Values) -> dict[str, Values]:
    """The figures `[B, C]` of each class of a confusion `[B, C, C]`."""
    total = table.sum(axis=(1, 2))[:, None]
    support, called = table.sum(axis=2), table.sum(axis=1)
    hits = np.diagonal(table, axis1=1, axis2=2)
    sensitivity = share(hits, support)
    specificity = share(total - support - called + hits, total - support)
    return {
        "sensitivity": sensitivity,
        "specificity": specificity,
        "precision": share(hits, called),
        "f1": share(2 * hits, support + called),
        "balanced_accuracy": (sensitivity + specificity) / 2,
    }


def _agreement(table: Values) -> dict[str, Values]:
    """Accuracy, and kappa: what of it is beyond the agreement by chance."""
    total, hits = table.sum(axis=(1, 2)), np.trace(table, axis1=1, axis2=2)
    chance = (table.sum(axis=2) * table.sum(axis=1)).sum(axis=1)
    return {
        "accuracy": share(hits, total),
        "kappa": share(total * hits - chance, total**2 - chance),
    }


def _mean(values: Values) -> Values:
    """The mean `[B]` of the defined ones of `[B, C]`."""
    defined = ~np.isnan(values)
    return share(np.where(defined, values, 0).sum(axis=1), defined.sum(axis=1).astype(np.float64))

"""ROC and precision-recall curves: each class against the rest, malignant against benign."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skincli.evaluation.answers import Answers
from skincli.evaluation.metrics import Metrics
from skincli.evaluation.plots.canvas import CLASS_LINES, GREY, VERMILION, Caption, canvas
from skincli.evaluation.ranking import Ranked, Ranking, Values
from skincli.pages.svg import INK

_SIZE: Final = (7.2, 8.0)
Points = tuple[Values, Values]


@dataclass(frozen=True, slots=True)
class _Curve:
    """A curve's name, its area (None where it is not defined), and its looks."""

    name: str
    area: float | None
    ranked: Ranked
    colour: str
    style: str
    width: float = 1.3


def roc_figure(answers: Answers, metrics: Metrics, caption: Caption) -> Figure:
    """Sensitivity against false alarms, and the threshold that decides on malignancy."""
    figure, (axes,) = canvas("ROC curves", caption, _SIZE)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
    for curve in _curves(answers, metrics, "auroc"):
        _draw(axes, curve, "AUROC", _roc_points)
    _mark_operating_point(axes, metrics)
    _frame(figure, axes, "1 − specificity", "sensitivity")
    return figure


def precision_recall_figure(answers: Answers, metrics: Metrics, caption: Caption) -> Figure:
    """The share of alarms that are right against the share of the sick that are found."""
    figure, (axes,) = canvas("Precision and recall", caption, _SIZE)
    for curve in _curves(answers, metrics, "average_precision"):
        _draw(axes, curve, "AP", _precision_recall_points)
    _frame(figure, axes, "recall (sensitivity)", "precision")
    return figure


def _curves(answers: Answers, metrics: Metrics, area: str) -> Iterator[_Curve]:
    ones = np.ones((1, len(answers.labels)))
    # The two curves of a binary model would both repeat the malignant one.
    for index, info in enumerate(answers.classes if len(answers.classes) > 2 else ()):
        ranking = Ranking(answers.labels == index, answers.probabilities[:, index])
        found = getattr(metrics.per_class[info.code], area)
        yield _Curve(info.code, found, ranking.under(ones), *CLASS_LINES[index])
    ranking = Ranking(answers.is_malignant, answers.malignant)
    found = getattr(metrics, f"malignant_{area}")
    yield _Curve("malignant", found, ranking.under(ones), INK, "-", width=2.4)


def _draw(axes: Axes, curve: _Curve, area: str, points: Callable[[Ranked], Points]) -> None:
    """Draw a curve where it is defined; the legend says so where it is not."""
    x, y, label = np.zeros(0), np.zeros(0), f"{curve.name} (not defined)"
    if curve.area is not None:
        x, y = points(curve.ranked)
        label = f"{curve.name} ({area} {curve.area:.3f})"
    axes.plot(x, y, color=curve.colour, linestyle=curve.style, linewidth=curve.width, label=label)


def _roc_points(ranked: Ranked) -> Points:
    """Where each tie that holds a positive image begins and ends; straight in between."""
    alarms = np.stack([ranked.alarms_above[0], ranked.alarms[0]], axis=1).ravel()
    found = np.stack([(ranked.found - ranked.hits)[0], ranked.found[0]], axis=1).ravel()
    x = np.concatenate([[0], alarms / ranked.negatives, [1]])
    return x, np.concatenate([[0], found / ranked.positives, [1]])


def _precision_recall_points(ranked: Ranked) -> Points:
    """Steps: the precision at which each next positive image is found."""
    found = ranked.found[0]
    precision = found / (found + ranked.alarms[0])
    recall = np.concatenate([[0], found / ranked.positives])
    return np.repeat(recall, 2)[1:-1], np.repeat(precision, 2)


def _frame(figure: Figure, axes: Axes, x: str, y: str) -> None:
    """Unit axes; the legend is below, where no curve can run through it."""
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    figure.legend(loc="outside lower center", ncols=3, fontsize=9)


def _mark_operating_point(axes: Axes, metrics: Metrics) -> None:
    sensitivity, specificity = metrics.malignant_sensitivity, metrics.malignant_specificity
    if sensitivity is None or specificity is None:
        return
    label = f"operating point ({sensitivity:.1%}, {specificity:.1%})"
    axes.plot(
        1 - specificity, sensitivity, "D", color=VERMILION, markersize=9,
        markeredgecolor="white", label=label, zorder=5,
    )  # fmt: skip

"""Three figures of one evaluation: confusion matrix, ROC curves, reliability diagram.

Drawn through matplotlib's object interface: no global state, no display. Colours are those of
Okabe and Ito, which people with colour-blindness tell apart; line styles repeat the distinction.
"""

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skincli.evaluation.calibration import Flags, Floats, reliability
from skincli.evaluation.metrics import Metrics
from skincli.evaluation.predictions import Predictions

_BLUE: Final = "#0072B2"
_VERMILION: Final = "#D55E00"
_GREY: Final = "#767676"
_CURVES: Final = (
    ("#0072B2", "-"),
    ("#E69F00", "-"),
    ("#009E73", "-"),
    ("#CC79A7", "-"),
    ("#56B4E9", "--"),
    ("#A6761D", "--"),
    ("#767676", "--"),
)
_DPI: Final = 150


@dataclass(frozen=True, slots=True)
class Caption:
    """What a figure says of the images it was made from."""

    data_name: str
    part: str
    n_images: int
    synthetic: bool

    @property
    def text(self) -> str:
        kind = "synthetic data · " if self.synthetic else ""
        return f"{self.data_name} · {kind}{self.part} · {self.n_images:,} images"


@dataclass(frozen=True, slots=True)
class _Curve:
    """A ROC curve's name, its area (None where it is not defined), and its looks."""

    name: str
    area: float | None
    colour: str
    style: str
    width: float = 1.3


def confusion_figure(scored: Predictions, metrics: Metrics, caption: Caption) -> Figure:
    """Counts, and under each its share of the true class, which is also the colour."""
    counts = np.array(metrics.confusion)
    totals = counts.sum(axis=1, keepdims=True)
    rates = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    figure, axes = _canvas("Confusion matrix", caption, (7.2, 6.6) if len(counts) > 2 else (5, 5))
    axes.imshow(rates, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        share = f"\n{rates[row, column]:.1%}" if count else ""
        colour = "white" if rates[row, column] > 0.68 else "black" if count else _GREY
        axes.text(
            column, row, f"{count:,}{share}", ha="center", va="center", color=colour, fontsize=9
        )
    codes = [info.code for info in scored.classes]
    axes.set_xticks(range(len(codes)), codes)
    axes.set_yticks(range(len(codes)), codes)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true (100% per row)")
    return figure


def roc_figure(scored: Predictions, metrics: Metrics, caption: Caption) -> Figure:
    """One curve per class against the rest, and malignant against benign with its threshold."""
    figure, axes = _canvas("ROC curves", caption, (7.6, 7.4))
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=0.8, linestyle=":")
    # The two curves of a binary model would both repeat the malignant one.
    for index, info in enumerate(scored.classes if len(scored.classes) > 2 else ()):
        curve = _Curve(info.code, metrics.per_class[info.code].auroc, *_CURVES[index])
        _draw_curve(axes, curve, scored.labels == index, scored.probabilities[:, index])
    malignant = [index for index, info in enumerate(scored.classes) if info.malignant]
    curve = _Curve("malignant", metrics.malignant_auroc, "black", "-", width=2.4)
    _draw_curve(axes, curve, np.isin(scored.labels, malignant), scored.malignant)
    _mark_operating_point(axes, metrics)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_xlabel("1 − specificity")
    axes.set_ylabel("sensitivity")
    axes.legend(loc="lower right", fontsize=9, framealpha=0.95)
    return figure


def reliability_figure(scored: Predictions, metrics: Metrics, caption: Caption) -> Figure:
    """Accuracy against confidence in bins of equal mass, over a histogram of the confidence."""
    bins = reliability(scored.probabilities, scored.labels)
    figure, axes = _canvas(
        "Reliability of the predicted class", caption, (6.4, 7.4), histogram=True
    )
    below = figure.axes[1]
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=0.8, linestyle=":", label="perfect")
    error = "" if metrics.ece is None else f" (ECE {metrics.ece:.3f})"
    axes.vlines(bins.confidence, bins.confidence, bins.accuracy, color=_VERMILION, label="gap")
    axes.plot(bins.confidence, bins.accuracy, "o-", color=_BLUE, label=f"model{error}")
    axes.set(xlim=(0, 1.01), ylim=(0, 1.02))
    axes.set_ylabel("accuracy")
    axes.legend(loc="upper left", fontsize=9)
    below.hist(scored.probabilities.max(axis=1), bins=25, range=(0, 1), color=_BLUE)
    below.set_xlabel("confidence")
    below.set_ylabel("images")
    return figure


def to_png(figure: Figure) -> bytes:
    """The figure as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=_DPI, bbox_inches="tight", pad_inches=0.15)
    return stream.getvalue()


def _canvas(
    title: str, caption: Caption, size: tuple[float, float], histogram: bool = False
) -> tuple[Figure, Axes]:
    """A titled figure and its upper axes; with `histogram`, a second, low one under it."""
    figure = Figure(figsize=size, layout="constrained")
    ratios = [4, 1] if histogram else [1]
    grid = figure.subplots(len(ratios), 1, sharex=True, height_ratios=ratios, squeeze=False)
    axes: Axes = grid[0, 0]
    axes.set_title(f"{title}\n", fontsize=13, fontweight="bold", loc="left")
    colour = _VERMILION if caption.synthetic else _GREY
    axes.text(0, 1.02, caption.text, transform=axes.transAxes, color=colour, fontsize=10)
    if caption.synthetic:
        figure.text(
            0.5, 0.5, "synthetic data", rotation=35, ha="center", va="center",
            fontsize=44, color=_VERMILION, alpha=0.13,
        )  # fmt: skip
    return figure, axes


def _draw_curve(axes: Axes, curve: _Curve, positive: Flags, scores: Floats) -> None:
    """Draw a curve where it is defined; the legend says so where it is not."""
    from sklearn.metrics import roc_curve

    false_alarms, hits, label = [], [], f"{curve.name} (not defined)"
    if curve.area is not None:
        false_alarms, hits, _ = roc_curve(positive, scores)
        label = f"{curve.name} (AUROC {curve.area:.3f})"
    axes.plot(
        false_alarms, hits, color=curve.colour, linestyle=curve.style, linewidth=curve.width,
        label=label,
    )  # fmt: skip


def _mark_operating_point(axes: Axes, metrics: Metrics) -> None:
    sensitivity, specificity = metrics.malignant_sensitivity, metrics.malignant_specificity
    if sensitivity is None or specificity is None:
        return
    label = f"operating point ({sensitivity:.1%} sensitivity, {specificity:.1%} specificity)"
    axes.plot(
        1 - specificity, sensitivity, "D", color=_VERMILION, markersize=9,
        markeredgecolor="white", label=label, zorder=5,
    )  # fmt: skip

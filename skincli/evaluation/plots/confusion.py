"""The confusion matrix of the diagnoses."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from skincli.evaluation.metrics import Metrics
from skincli.evaluation.plots.canvas import GREY, Caption, canvas
from skincli.taxonomy import ClassInfo


def confusion_figure(metrics: Metrics, classes: Sequence[ClassInfo], caption: Caption) -> Figure:
    """Counts, and under each its share of the true class, which is also the colour."""
    counts = np.array(metrics.confusion)
    totals = counts.sum(axis=1, keepdims=True)
    rates = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    size = (7.2, 6.6) if len(counts) > 2 else (5, 5)
    figure, (axes,) = canvas("Confusion matrix", caption, size)
    axes.imshow(rates, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        share = f"\n{rates[row, column]:.1%}" if count else ""
        # On the colours of the cells, which are the same on a light and a dark page.
        colour = "white" if rates[row, column] > 0.68 else "black" if count else GREY
        axes.text(
            column, row, f"{count:,}{share}", ha="center", va="center", color=colour, fontsize=9
        )
    codes = [info.code for info in classes]
    axes.set_xticks(range(len(codes)), codes)
    axes.set_yticks(range(len(codes)), codes)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true (100% per row)")
    return figure

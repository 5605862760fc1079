"""The forest plot: a figure and its interval for every subgroup, beside that of all images."""

from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skincli.evaluation.plots.canvas import BLUE, GREY, VERMILION, Caption
from skincli.evaluation.resampling import Interval
from skincli.evaluation.subgroups import Subgroup

_SHOWN: Final = {
    "malignant_auroc": "AUROC, malignant or benign",
    "malignant_sensitivity": "malignant lesions flagged",
}


def forest_figure(
    subgroups: Sequence[Subgroup], overall: Mapping[str, Interval], caption: Caption
) -> Figure:
    """Two columns of intervals over one list of subgroups; small groups are drawn hollow."""
    figure = Figure(figsize=(8.4, 1.6 + 0.27 * len(subgroups)), layout="constrained")
    figure.suptitle("Subgroups", fontsize=13, fontweight="bold", x=0.01, ha="left")
    grid = figure.subplots(1, len(_SHOWN), sharey=True, squeeze=False)[0]
    for axes, (name, title) in zip(grid, _SHOWN.items(), strict=True):
        axes.set_title(title, fontsize=10)
        axes.set(xlim=(-0.02, 1.02))
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=GREY, alpha=0.25, linewidth=0.6)
        axes.spines[["top", "right", "left"]].set_visible(False)
        if name in overall:
            axes.axvline(overall[name].value, color=VERMILION, linewidth=1)
            axes.axvspan(overall[name].low, overall[name].high, color=VERMILION, alpha=0.12)
        _draw_column(axes, subgroups, name)
    labels = [f"{group.kind}: {group.name} ({group.n_images:,})" for group in subgroups]
    grid[0].set_yticks(range(len(labels)), labels, fontsize=9, parse_math=False)
    grid[0].set_ylim(len(labels) - 0.4, -0.6)
    figure.supxlabel(
        f"{caption.text}; red: all of them; hollow: few lesions", fontsize=9, color=GREY
    )
    return figure


def _draw_column(axes: Axes, subgroups: Sequence[Subgroup], name: str) -> None:
    for row, group in enumerate(subgroups):
        found = group.figures.get(name)
        if found is None:
            axes.text(0.5, row, "not defined", ha="center", va="center", fontsize=8, color=GREY)
            continue
        colour = GREY if group.small else BLUE
        axes.plot([found.low, found.high], [row, row], color=colour, linewidth=1.6)
        fill = "none" if group.small else colour
        axes.plot(found.value, row, "o", color=colour, markerfacecolor=fill, markersize=5)

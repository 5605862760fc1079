"""A search as a picture: its history, and the figure over each range that was searched."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from skincli.tuning.ranges import Choice, Range, Span
from skincli.tuning.records import TrialRecord, ranked

# Colours are those of Okabe and Ito, which everyone tells apart.
_BLUE, _VERMILION, _GREY = "#0072B2", "#D55E00", "#999999"
_PANELS_IN_A_ROW: Final = 4


def draw_search(
    trials: Sequence[TrialRecord], ranges: Sequence[Range], metric: str, title: str, to: Path
) -> None:
    """Write a PNG: history first, then a panel per range from end to end. Raises OSError.

    Trials that were not completed stand at the foot: what they reached is no result.
    """
    panels = 1 + len(ranges)
    columns = min(panels, _PANELS_IN_A_ROW)
    rows = -(-panels // columns)
    figure = Figure(figsize=(3.2 * columns, 3.0 * rows + 0.6), layout="constrained")
    figure.suptitle(title)
    axes = list(figure.subplots(rows, columns, squeeze=False, sharey=True).flat)
    for unused in axes[panels:]:
        unused.set_axis_off()
    _draw_history(axes[0], trials)
    for each, panel in zip(ranges, axes[1:], strict=False):
        _draw_range(panel, trials, each)
    for panel in axes[:panels:columns]:
        panel.set_ylabel(metric.replace("_", " "))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    figure.savefig(to, format="png", dpi=110)


def _draw_history(axes: Axes, trials: Sequence[TrialRecord]) -> None:
    complete = sorted(ranked(trials), key=lambda trial: trial.number)
    numbers, values = [t.number for t in complete], [t.value or 0.0 for t in complete]
    best = list(accumulate(values, max))
    axes.step(numbers, best, where="post", color=_VERMILION, label="best so far")
    _dots(axes, trials, {trial.number: trial.number for trial in trials})
    axes.set_xlim(-0.5, trials[-1].number + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("trial")


def _draw_range(axes: Axes, trials: Sequence[TrialRecord], each: Range) -> None:
    if isinstance(each, Choice):
        axes.set_xticks(range(len(each.options)), each.options)
        axes.set_xlim(-0.5, len(each.options) - 0.5)
        _dots(axes, trials, {t.number: each.options.index(str(t.values[each.key])) for t in trials})
    else:
        _scale(axes, each)
        _dots(axes, trials, {t.number: float(t.values[each.key]) for t in trials})
    axes.set_xlabel(each.key)


def _scale(axes: Axes, each: Span) -> None:
    axes.set_xlim(each.low, each.high)
    if each.log:
        axes.set_xscale("log")
        wide = each.high / each.low > 100
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())


def _dots(axes: Axes, trials: Sequence[TrialRecord], at: Mapping[int, float]) -> None:
    complete = ranked(trials)
    x, y = [at[trial.number] for trial in complete], [trial.value or 0.0 for trial in complete]
    axes.scatter(x, y, s=22, color=_BLUE, clip_on=False, label="complete")
    axes.scatter(x[:1], y[:1], s=90, color=_VERMILION, marker="*", zorder=3, label="best")
    ended = [at[trial.number] for trial in trials if trial.state != "complete"]
    foot = axes.get_xaxis_transform()
    feet = [0.02] * len(ended)
    axes.scatter(ended, feet, s=22, color=_GREY, marker="x", transform=foot, label="ended early")

"""How a run learned, epoch by epoch. May be drawn again while it goes on."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from skincli.training.pictures.canvas import (
    BLUE,
    GREEN,
    GREY,
    VERMILION,
    legend_above,
    plain,
    titled,
)

Rows = Sequence[Mapping[str, float]]
Reals = NDArray[np.float64]

# Above so many epochs a dot for each would be a thick line; a single epoch needs its dot.
_MOST_DOTS: Final = 40
_HANDLE: Final = 1.9  # wide enough in a legend for dashes to show


@dataclass(frozen=True, slots=True)
class _Line:
    """A column of `metrics.csv` and its looks; dashes tell two lines apart without colour."""

    column: str
    label: str
    colour: str
    style: str


_LOSSES: Final = (
    _Line("train_loss", "train, augmented", BLUE, "--"),
    _Line("validation_loss", "validation", VERMILION, "-"),
)
_SCORES: Final = (
    _Line("validation_macro_auroc", "macro AUROC", BLUE, "--"),
    _Line("validation_balanced_accuracy", "balanced accuracy", VERMILION, "-"),
)
_RATE: Final = _Line("learning_rate", "", GREEN, "-")
_SPEED: Final = _Line("images_per_second", "images per second (right)", BLUE, "--")
_TIME: Final = _Line("seconds", "seconds an epoch", VERMILION, "-")


def curves_figure(rows: Rows, chosen: int | None, title: str) -> Figure:
    """The rows of `metrics.csv`, at least one: loss, scores, learning rate, time.

    `chosen` is the epoch whose weights were kept, counted from 0 as in the file; None where none
    has been chosen yet. A figure that is missing or no number leaves a gap.
    """
    figure = titled(title if chosen is None else f"{title}: epoch {chosen + 1} kept")
    (loss, scores), (rate, time) = figure.subplots(2, 2, sharex=True)
    epochs = _values(rows, "epoch") + 1  # people count from 1
    plain(loss, "loss")
    _draw(loss, epochs, rows, _LOSSES, None)
    plain(scores, "validation")
    _draw(scores, epochs, rows, _SCORES, chosen)
    plain(rate, "learning rate at the end of the epoch")
    _draw_line(rate, epochs, rows, _RATE)
    rate.set_ylim(bottom=0)
    rate.yaxis.set_major_formatter(lambda value, _: f"{value:.1e}" if value else "0")
    plain(time, "time")
    _draw_time(time, epochs, rows)
    for axes in (loss, scores, rate, time):
        if chosen is not None:
            axes.axvline(chosen + 1, color=GREY, linestyle=":", linewidth=1.2, zorder=1)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=1))
    loss.set_xlim(epochs.min() - 0.7, epochs.max() + 0.7)
    rate.set_xlabel("epoch")
    time.set_xlabel("epoch")
    return figure


def _draw_time(axes: Axes, epochs: Reals, rows: Rows) -> None:
    """Seconds to the left, speed to the right, both from 0."""
    beside = axes.twinx()
    beside.spines["top"].set_visible(False)
    beside.yaxis.set_major_formatter("{x:,.0f}")
    handles = [_draw_line(axes, epochs, rows, _TIME), _draw_line(beside, epochs, rows, _SPEED)]
    axes.set_ylim(bottom=0)
    beside.set_ylim(0, 1.3 * beside.get_ylim()[1])  # steady lines would lie on each other
    legend_above(axes, [_label(_TIME, rows), _label(_SPEED, rows)], handles, _HANDLE)


def _draw(
    axes: Axes, epochs: Reals, rows: Rows, lines: Sequence[_Line], marked: int | None
) -> None:
    """Lines with a legend; the figures of a marked epoch stand there, where they hide nothing."""
    handles = [_draw_line(axes, epochs, rows, line) for line in lines]
    labels = [_label(line, rows) for line in lines]
    for place in np.flatnonzero(epochs - 1 == marked) if marked is not None else ():
        for index, line in enumerate(lines):
            value = _values(rows, line.column)[place]
            if math.isfinite(value):
                axes.plot(epochs[place], value, "D", color=line.colour, mec="white", markersize=8)
                labels[index] = f"{line.label} {value:.3f}"
    legend_above(axes, labels, handles, _HANDLE)


def _draw_line(axes: Axes, epochs: Reals, rows: Rows, line: _Line) -> Artist:
    dots = "o" if len(epochs) <= _MOST_DOTS else None
    [drawn] = axes.plot(
        epochs, _values(rows, line.column), color=line.colour, linestyle=line.style,
        linewidth=1.6, marker=dots, markersize=3.5,
    )  # fmt: skip
    return drawn


def _label(line: _Line, rows: Rows) -> str:
    measured = np.isfinite(_values(rows, line.column)).any()
    return line.label if measured else f"{line.label} –"


def _values(rows: Rows, name: str) -> Reals:
    values = [float(row.get(name, math.nan)) for row in rows]
    return np.array([value if math.isfinite(value) else math.nan for value in values])

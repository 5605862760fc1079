"""Charts of counts, drawn small: they are shown no wider than a phone or half a page.

Through matplotlib's object interface: no display. Colours are those of Okabe and Ito, which
people with colour-blindness tell apart.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skincli.pages.svg import INK

COLOURS: Final = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999",
)  # fmt: skip
_WIDTH: Final = 4.8
_MOST_BARS: Final = 20
_LONGEST_LABEL: Final = 28
_LEGEND_LETTERS: Final = 70
_WHITE_TEXT_ABOVE: Final = 0.55


def bars(counts: Mapping[str, Mapping[str, int]]) -> Figure:
    """Horizontal bars for each name, one for each of its series; the value stands at its end."""
    counts = _foremost(counts)
    series = list(next(iter(counts.values()), {}))
    figure, axes = _canvas(0.28 * len(counts) * max(1, 0.75 * len(series)), series)
    height = 0.8 / max(1, len(series))
    most = max((value for inner in counts.values() for value in inner.values()), default=1)
    for place, name in enumerate(series):
        values = [inner[name] for inner in counts.values()]
        ends = np.arange(len(counts)) + (place - (len(series) - 1) / 2) * height
        axes.barh(ends, values, height * 0.92, color=COLOURS[place], label=name)
        for end, value in zip(ends, values, strict=True):
            axes.text(value + most / 100, end, f"{value:,}", va="center", fontsize=8, color=INK)
    axes.set_xlim(0, most * 1.12)
    _name_rows(axes, list(counts))
    axes.set_xticks([])
    if len(series) > 1:
        _legend(axes, series)
    return figure


def shares(counts: Mapping[str, Mapping[str, int]]) -> Figure:
    """How the images of each name divide, as bars that fill the whole width."""
    counts = _few_series(_foremost(counts))
    series = list(dict.fromkeys(name for inner in counts.values() for name in inner))
    figure, axes = _canvas(0.3 * len(counts), series)
    left = np.zeros(len(counts))
    totals = np.array([max(1, sum(inner.values())) for inner in counts.values()])
    for place, name in enumerate(series):
        width = np.array([inner.get(name, 0) for inner in counts.values()]) / totals
        axes.barh(
            np.arange(len(counts)), width, 0.75, left, color=COLOURS[place], label=_short(name)
        )
        left += width
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter("{x:.0%}")
    _name_rows(axes, list(counts))
    _legend(axes, series)
    return figure


def histograms(values: Mapping[str, Sequence[float]], width: float, unit: str) -> Figure:
    """A low histogram for each name over one axis, each as tall as its own highest bar."""
    figure = Figure(figsize=(_WIDTH, 0.52 * len(values) + 0.5), layout="constrained")
    grid = figure.subplots(len(values), 1, sharex=True, squeeze=False)
    highest = max((max(v) for v in values.values() if len(v)), default=width)
    edges = np.arange(0, highest + 2 * width, width)
    for axes, (name, found) in zip(grid[:, 0], values.items(), strict=True):
        _plain(axes)
        axes.hist(found, bins=edges, color=COLOURS[0], rwidth=0.92)
        axes.set_yticks([])
        _label(axes, name)
    grid[-1, 0].set_xlabel(unit)
    return figure


def heat_map(counts: Mapping[str, Mapping[str, int]], columns: Sequence[str]) -> Figure:
    """Counts in cells whose colour is their share of the row."""
    counts = _foremost(counts)
    figure, axes = _canvas(0.42 * len(counts))
    for row, inner in enumerate(counts.values()):
        total = max(1, sum(inner.values()))
        for column, name in enumerate(columns):
            value = inner.get(name, 0)
            share = value / total
            axes.barh(row, 0.96, 0.92, column - 0.48, color=COLOURS[0], alpha=share)
            colour = "white" if share > _WHITE_TEXT_ABOVE else INK
            axes.text(column, row, f"{value:,}", ha="center", va="center", fontsize=9, color=colour)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_xticks(range(len(columns)), list(columns), parse_math=False)
    axes.xaxis.tick_top()
    _name_rows(axes, list(counts))
    axes.tick_params(length=0)
    return figure


def _canvas(height: float, series: Sequence[str] = ()) -> tuple[Figure, Axes]:
    """Axes of about that height in inches, with room for a legend of the series."""
    legend = 0.2 * math.ceil(len(series) / _legend_columns(series))
    figure = Figure(figsize=(_WIDTH, height + 0.5 + legend), layout="constrained")
    axes = figure.subplots()
    _plain(axes)
    return figure, axes


def _plain(axes: Axes) -> None:
    axes.set_facecolor("none")
    axes.spines[:].set_visible(False)
    axes.tick_params(colors=INK, labelsize=9, length=2)
    axes.xaxis.label.set_color(INK)


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Labels from top to bottom. Text of a data set is never read as mathematics."""
    axes.set_yticks(range(len(names)), [_short(n) for n in names], parse_math=False)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def _label(axes: Axes, name: str) -> None:
    axes.set_ylabel(
        _short(name), rotation=0, ha="right", va="center", color=INK, fontsize=9, parse_math=False
    )


def _legend_columns(series: Sequence[str]) -> int:
    longest = max((len(_short(name)) for name in series), default=0)
    return max(1, min(4, _LEGEND_LETTERS // (longest + 6)))


def _legend(axes: Axes, series: Sequence[str]) -> None:
    legend = axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=_legend_columns(series), frameon=False,
        fontsize=9, labelcolor=INK, handlelength=1, borderaxespad=0.2,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)


def _foremost(counts: Mapping[str, Mapping[str, int]]) -> dict[str, Mapping[str, int]]:
    """The first names, and the others as one."""
    names = list(counts)
    if len(names) <= _MOST_BARS:
        return dict(counts)
    rest: dict[str, int] = {}
    for name in names[_MOST_BARS - 1 :]:
        for inner, value in counts[name].items():
            rest[inner] = rest.get(inner, 0) + value
    kept = {name: counts[name] for name in names[: _MOST_BARS - 1]}
    return kept | {f"{len(names) - len(kept)} others": rest}


def _few_series(counts: Mapping[str, Mapping[str, int]]) -> dict[str, Mapping[str, int]]:
    """As many inner names as there are colours, the rarest as one."""
    totals: Counter[str] = Counter()
    for inner in counts.values():
        totals.update(inner)
    most = len(COLOURS) if len(totals) <= len(COLOURS) else len(COLOURS) - 1
    foremost = dict(totals.most_common(most))
    kept = [name for name in totals if name in foremost]
    few = {name: {k: inner.get(k, 0) for k in kept} for name, inner in counts.items()}
    if len(totals) > len(kept):
        for name, inner in counts.items():
            few[name]["others"] = sum(inner.values()) - sum(few[name].values())
    return dict(few)


def _short(name: str) -> str:
    short = name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}…"
    # A legend leaves out what begins with an underscore.
    return f"\u200b{short}" if short.startswith("_") else short

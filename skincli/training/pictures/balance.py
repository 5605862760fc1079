"""How much of each class there is in each part."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skincli.data import PARTS, Part, PreparedSet
from skincli.taxonomy import Task, classes_of
from skincli.training.pictures.canvas import (
    BLUE,
    GREY,
    ORANGE,
    VERMILION,
    Handle,
    legend_above,
    plain,
    titled,
)

# Counts per class, in the order of the task's classes, for each part.
Counts = Mapping[Part, Sequence[int]]

_COLOURS: Final[dict[Part, str]] = dict(zip(PARTS, (BLUE, ORANGE, VERMILION, GREY), strict=True))
_FLOOR: Final = 0.7  # a bar of 1 is seen, the number of one of 0 too
_GROUP: Final = 0.88  # share of the place of a class that its bars fill


def balance_figure(codes: Sequence[str], images: Counts, lesions: Counts, title: str) -> Figure:
    """Images above, lesions below, a bar per class and part, on a log scale."""
    figure = titled(title)
    figure.subplots_adjust(right=0.985)  # no numbers to the right
    upper, lower = figure.subplots(2, 1, sharex=True, sharey=True)
    upper.set_yscale("log")
    upper.set_ylim(_FLOOR, max(10, *(max(values) for values in images.values())) * 2.2)
    for axes, counts, what in ((upper, images, "images"), (lower, lesions, "lesions")):
        plain(axes, what)
        bars = _draw_bars(axes, counts)
        legend_above(axes, [_named(part, counts[part]) for part in counts], bars)
    lower.set_xticks(range(len(codes)), codes, fontsize=11)
    lower.set_xlim(-0.6, len(codes) - 0.4)
    return figure


def count_classes(prepared: PreparedSet, task: Task) -> tuple[list[str], Counts, Counts]:
    """The codes of a task's classes, and their images and lesions in each part."""
    codes = [info.code for info in classes_of(task)]
    labels = prepared.labels(task)
    images: dict[Part, list[int]] = {}
    lesions: dict[Part, list[int]] = {}
    for part in PARTS:
        rows = prepared.rows(part)
        images[part] = np.bincount(labels[rows], minlength=len(codes)).tolist()
        # A lesion whose images have been given several diagnoses counts for each of them.
        seen = {(prepared.samples[row].lesion_id, int(labels[row])) for row in rows}
        found = np.array([label for _, label in seen], dtype=np.int64)
        lesions[part] = np.bincount(found, minlength=len(codes)).tolist()
    return codes, images, lesions


def _draw_bars(axes: Axes, counts: Counts) -> list[Handle]:
    axes.grid(visible=False, axis="x")
    axes.tick_params(axis="x", length=0)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    width = _GROUP / len(counts)
    drawn: list[Handle] = []
    for index, (part, values) in enumerate(counts.items()):
        at = np.arange(len(values)) + (index + 0.5) * width - _GROUP / 2
        bars = axes.bar(at, values, width * 0.94, color=_COLOURS[part])
        for x, value in zip(at, values, strict=True):
            axes.annotate(
                f"{value:,}", (x, max(value, _FLOOR)), xytext=(0, 2), textcoords="offset points",
                ha="center", va="bottom", fontsize=8,
            )  # fmt: skip
        drawn.append(bars)
    return drawn


def _named(part: str, values: Sequence[int]) -> str:
    return f"{part} ({sum(values):,})"

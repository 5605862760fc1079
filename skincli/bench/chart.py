"""Packing as bars. Colours are those of Okabe and Ito, which everyone tells apart."""

from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skincli.bench.records import PrepareBench

BLUE, ORANGE, VERMILION, GREY = "#0072B2", "#E69F00", "#D55E00", "#999999"
DPI: Final = 130


def prepare_chart(result: PrepareBench, target: Path) -> None:
    """Write a PNG with speeds per core on the left and growth on the right. Raises OSError."""
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    kind = "drawn" if result.synthetic else "given"
    figure.suptitle(
        f"Packing {result.n_images} {kind} images of {result.mean_kilobytes:,.0f} kB "
        f"at {result.image_size} px, {result.crop}"
    )
    _draw_speeds(left, result)
    _draw_growth(right, result)
    figure.savefig(target, format="png", dpi=DPI)


def _draw_speeds(axes: Axes, result: PrepareBench) -> None:
    names = ["1 core" if speed.cores == 1 else f"{speed.cores} cores" for speed in result.speeds]
    at = np.arange(len(names))
    bare = axes.bar(at - 0.2, [s.bare for s in result.speeds], 0.38, color=GREY, label="bare loop")
    packing = [speed.packing for speed in result.speeds]
    packed = axes.bar(at + 0.2, packing, 0.38, color=BLUE, label="packing")
    axes.bar_label(bare, fmt="{:,.0f}")
    axes.bar_label(packed, [f"{s.packing:,.0f} ({s.ratio:.0%})" for s in result.speeds])
    axes.set_xticks(at, names)
    axes.margins(y=0.25)
    axes.set_ylabel("images per second")
    axes.legend(loc="upper left", ncols=2)


def _draw_growth(axes: Axes, result: PrepareBench) -> None:
    at = np.arange(len(result.growth))
    bars = axes.bar(at, [g.peak_megabytes for g in result.growth], 0.6, color=VERMILION)
    axes.bar_label(bars, [f"{g.seconds:,.1f} s\n{g.peak_megabytes:,.0f} MB" for g in result.growth])
    axes.set_xticks(at, [f"{g.n_images:,} images" for g in result.growth])
    axes.margins(y=0.2)
    axes.set_ylabel("peak anonymous memory, MB")

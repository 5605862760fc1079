"""Training as bars: how near each way comes to the compute limit, and what more images cost."""

from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skincli.bench.chart import BLUE, DPI, GREY, ORANGE, VERMILION
from skincli.bench.records import TrainBench, TrainGrowth

_WAYS: Final = (
    ("limit", "compute limit", GREY),
    ("pipeline", "skincli", BLUE),
    ("conventional", "DataLoader, Pillow", ORANGE),
)
_WIDTH: Final = 0.27
# Inches: a group of bars with its figures, and all else.
_GROUP: Final = 1.9
_REST: Final = 5.6


def train_chart(result: TrainBench, target: Path) -> None:
    """Write a PNG with the ways on the left and growth on the right. Raises OSError."""
    groups = max(2, len(result.backbones)) * _GROUP
    figure = Figure(figsize=(_REST + groups, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(groups, 3.8))
    figure.suptitle(
        f"Training at {result.image_size} px in batches of {result.batch_size}, "
        f"{result.precision}, on {result.device}"
    )
    _draw_ways(left, result)
    _draw_growth(right, result)
    figure.savefig(target, format="png", dpi=DPI)


def _draw_ways(axes: Axes, result: TrainBench) -> None:
    """Bars are shares of the limit, for the backbones differ too much in speed."""
    at = np.arange(len(result.backbones))
    for place, (field, name, colour) in enumerate(_WAYS):
        ways = [getattr(backbone, field) for backbone in result.backbones]
        bars = axes.bar(
            at + (place - 1) * (_WIDTH + 0.02), [w.ratio for w in ways], _WIDTH, color=colour,
            label=name,
        )  # fmt: skip
        axes.bar_label(bars, [f"{w.images_per_second:,.0f}\n{w.ratio:.1%}" for w in ways])
    axes.set_xticks(at, [backbone.backbone for backbone in result.backbones])
    axes.set_xlim(-0.6, max(1.6, len(at) - 0.4))
    axes.set_title("images per second, and share of the compute limit", loc="left", fontsize=10)
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.margins(y=0.3)
    axes.legend(loc="upper right", ncols=len(_WAYS), fontsize=8.5)


def _draw_growth(axes: Axes, result: TrainBench) -> None:
    at = np.arange(len(result.growth))
    bars = axes.bar(at, [g.peak_megabytes for g in result.growth], 0.6, color=VERMILION)
    axes.bar_label(bars, [_growth_label(growth) for growth in result.growth])
    axes.set_xticks(at, [f"{g.n_images:,}\nimages" for g in result.growth])
    first = result.backbones[0].backbone
    axes.set_title(f"peak anonymous memory, {first}", loc="left", fontsize=10)
    axes.set_ylabel("MB")
    axes.margins(y=0.25)


def _growth_label(growth: TrainGrowth) -> str:
    label = f"{growth.peak_megabytes:,.0f} MB\n{growth.images_per_second:,.0f} /s"
    if growth.device_megabytes is None:
        return label
    return f"GPU {growth.device_megabytes:,.0f} MB\n{label}"

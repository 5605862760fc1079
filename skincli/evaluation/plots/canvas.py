"""What all pictures share: a titled canvas, colours, and the way into a PNG.

Drawn through matplotlib's object interface: no global state, no display. Colours are those of
Okabe and Ito, which people with colour-blindness tell apart; line styles repeat the distinction.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skincli.pages.svg import INK

BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
GREY: Final = "#808890"  # read on white and on black
CLASS_LINES: Final = (
    ("#0072B2", "-"),
    ("#E69F00", "-"),
    ("#009E73", "-"),
    ("#CC79A7", "-"),
    ("#56B4E9", "--"),
    ("#A6761D", "--"),
    ("#767676", "--"),
)
_DPI: Final = 150
# In the ink that a page turns into its own; nothing is filled, so that its ground shows.
_STYLE: Final[dict[Any, Any]] = {
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK
    ),
    "axes.facecolor": "none",
    "legend.frameon": False,
}


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


@contextmanager
def house_style() -> Iterator[None]:
    """Figures that are made within suit a light and a dark page."""
    with mpl.rc_context(_STYLE):
        yield


def canvas(
    title: str, caption: Caption, size: tuple[float, float], ratios: tuple[float, ...] = (1,)
) -> tuple[Figure, list[Axes]]:
    """A titled figure and its axes, one under the other, with heights of these `ratios`."""
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(ratios), 1, sharex=True, height_ratios=ratios, squeeze=False)
    axes: Axes = grid[0, 0]
    axes.set_title(f"{title}\n", fontsize=13, fontweight="bold", loc="left")
    colour = VERMILION if caption.synthetic else GREY
    axes.text(0, 1.02, caption.text, transform=axes.transAxes, color=colour, fontsize=10)
    if caption.synthetic:
        figure.text(
            0.5, 0.5, "synthetic data", rotation=35, ha="center", va="center",
            fontsize=44, color=VERMILION, alpha=0.13,
        )  # fmt: skip
    return figure, list(grid[:, 0])


def to_png(figure: Figure) -> bytes:
    """The figure as PNG, on white."""
    stream = io.BytesIO()
    figure.savefig(
        stream, format="png", dpi=_DPI, bbox_inches="tight", pad_inches=0.15, facecolor="white"
    )
    return stream.getvalue()

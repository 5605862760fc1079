"""Curves as Mermaid charts, which GitHub draws within a comment.

The language is that of https://mermaid.js.org/syntax/xyChart.html: points stand at even distances
along the first axis, numbers have no exponents, and lines no names. So a legend of coloured squares
stands above a chart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from skincli.pages.markdown import Markdown, blocks, fenced

# Blue, orange and grey that also the colour-blind tell apart (Wong 2011, doi:10.1038/nmeth.1618).
_SETTINGS: Final = """\
---
config:
  xyChart:
    width: 640
    height: 300
  themeVariables:
    xyChart:
      plotColorPalette: "#0072B2, #D55E00, #999999"
---"""
_SQUARES: Final = "🟦🟧⬜"
# What is far beyond needs an exponent, and is no curve of a training that went well.
_LARGEST: Final = 1e6
_MOST_POINTS: Final = 100

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The first axis: what it shows, and its ends."""

    name: str
    start: float
    end: float


def chart(axis: Axis, name: str, top: float, series: Mapping[str, Values]) -> Markdown:
    """Lines by their names, all of as many points, under their legend; at most three.

    Those that a chart cannot show are left out and named.
    """
    drawn = {label: values for label, values in series.items() if _can_be_drawn(values)}
    left = [label for label in series if label not in drawn]
    parts: list[str] = []
    if drawn:
        parts.append("  ".join(f"{s} {label}" for s, label in zip(_SQUARES, drawn, strict=False)))
        parts.append(_drawing(axis, name, top, list(drawn.values())))
    if left:
        parts.append(f"Not drawn, for want of finite figures: {', '.join(left)}.")
    return blocks(parts)


def bars(axis: str, heights: Sequence[float], line: Sequence[float]) -> Markdown:
    """Shares as bars that are numbered from 1, and a line across them."""
    places = ", ".join(f'"{number}"' for number in range(1, len(heights) + 1))
    return _fence(
        f'  x-axis "{axis}" [{places}]',
        '  y-axis "share" 0 --> 1',
        f"  bar {_numbers(heights)}",
        f"  line {_numbers(line)}",
    )


def thinned(rows: Sequence[Mapping[str, float | None]]) -> list[Mapping[str, float | None]]:
    """At even distances back from the last of `rows`, as many as a chart can show."""
    step = -(-len(rows) // _MOST_POINTS) or 1
    return list(rows[::-step][::-1])


def _drawing(axis: Axis, name: str, top: float, lines: Sequence[Values]) -> Markdown:
    return _fence(
        f'  x-axis "{axis.name}" {axis.start:g} --> {axis.end:g}',
        f'  y-axis "{name}" 0 --> {top:.4f}',
        *(f"  line {_numbers(values)}" for values in lines),
    )


def _fence(*lines: str) -> Markdown:
    return fenced("mermaid", "\n".join((_SETTINGS, "xychart-beta", *lines)))


def _numbers(values: Values) -> str:
    return f"[{', '.join(f'{value or 0:.4f}' for value in values)}]"


def _can_be_drawn(values: Values) -> bool:
    finite = (value is not None and abs(value) < _LARGEST for value in values)
    return all(finite)

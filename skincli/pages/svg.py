"""Figures as SVG within a page: in its own text colour, so that they suit light and dark."""

import io
import re
import warnings
from html import escape
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure

from skincli.pages.markup import Html

# Stands for the page's text colour until the SVG is written.
INK: Final = "#010203"


def to_svg(figure: Figure, name: str, description: str) -> Html:
    """The figure as an `<svg>` element that says what it shows; `name` is unique on its page."""
    figure.set_facecolor("none")
    stream = io.StringIO()
    silent = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the browser has more fonts than we
        figure.savefig(stream, format="svg", metadata=silent)
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)  # it would style the whole page
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # the same in every figure
    svg = re.sub(r'^<svg ([^>]*?)width="[^"]*" height="[^"]*"', r"<svg \1", svg)
    svg = svg.replace(INK, "currentColor")
    return Html(svg.replace("<svg ", f'<svg role="img" aria-label="{escape(description)}" ', 1))

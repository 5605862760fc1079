"""The report as one HTML page that needs nothing else."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from PIL import Image

from skincli.evaluation.exhibits import Exhibit
from skincli.evaluation.report.blocks import (
    Block,
    Bullets,
    Facts,
    Gallery,
    Picture,
    Section,
    Table,
    Text,
)
from skincli.pages.markup import Html, bullets, element, facts, join, jpeg, sections, table
from skincli.pages.page import page
from skincli.pages.svg import to_svg

_SIDE = 160


def to_html(
    title: str,
    head: Facts,
    content: Sequence[Section],
    figures: Mapping[str, Figure],
    synthetic: bool,
) -> str:
    """The page. `figures` are drawn into it, as are the exhibits."""
    banner = [element("p", "Synthetic data", class_="synthetic")] if synthetic else []
    header = element("header", element("h1", title), *banner, facts(head.pairs))
    bodies = {
        section.title: join(_block(block, figures) for block in section.blocks)
        for section in content
    }
    return page(title, join((header, sections(bodies))))


def _block(block: Block, figures: Mapping[str, Figure]) -> Html:
    match block:
        case Text():
            return element("p", block.text)
        case Bullets():
            return bullets(block.lines)
        case Facts():
            return facts(block.pairs)
        case Table():
            return table(block.columns, block.rows)
        case Picture():
            chart = to_svg(figures[block.name], block.name, block.description)
            return element("figure", chart, class_="chart")
        case Gallery():
            shown = element("div", *map(_exhibit, block.exhibits), class_="pairs")
            return join((element("h3", block.title), shown))


def _exhibit(exhibit: Exhibit) -> Html:
    title = f"{exhibit.image_id}: {exhibit.truth}, called {exhibit.diagnosis}"
    image, heat = Image.fromarray(exhibit.image), Image.fromarray(exhibit.heat_map)
    return element(
        "figure",
        jpeg(image, _SIDE, alt=exhibit.image_id, title=title),
        jpeg(heat, _SIDE, alt=f"heat map of {exhibit.image_id}", title=title),
        element("figcaption", exhibit.caption),
        class_="pair",
    )

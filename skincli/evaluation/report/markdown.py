"""The report as Markdown, beside the pictures that it names."""

from collections.abc import Sequence

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
from skincli.pages.markdown import (
    Markdown,
    blocks,
    bullets,
    facts,
    heading,
    plain,
    strong,
    table,
)


def to_markdown(title: str, head: Facts, content: Sequence[Section], synthetic: bool) -> str:
    """The whole text. Exhibits are told in words: their pictures are in the HTML page."""
    banner = [strong("Synthetic data: not a medical result.")] if synthetic else []
    parts = [heading(1, title), *banner, _block(head)]
    for section in content:
        parts += [heading(2, section.title), *map(_block, section.blocks)]
    return blocks(parts) + "\n"


def _block(block: Block) -> Markdown:
    match block:
        case Text():
            return plain(block.text)
        case Bullets():
            return bullets(block.lines)
        case Facts():
            return facts(block.pairs)
        case Table():
            return table(block.columns, block.rows)
        case Picture():
            return Markdown(f"![{plain(block.description)}]({block.name}.png)")
        case Gallery():
            captions = bullets(each.caption for each in block.exhibits)
            return blocks((heading(3, block.title), captions))

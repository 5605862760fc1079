"""The report as Markdown, beside the pictures that it names."""

from collections.abc import Iterable, Sequence

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


def to_markdown(title: str, head: Facts, content: Sequence[Section], synthetic: bool) -> str:
    """The whole text. Exhibits are told in words: their pictures are in the HTML page."""
    banner = ["**Synthetic data: not a medical result.**"] if synthetic else []
    parts = [f"# {_plain(title)}", *banner, _block(head)]
    for section in content:
        parts += [f"## {_plain(section.title)}", *map(_block, section.blocks)]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> str:
    match block:
        case Text():
            return _plain(block.text)
        case Bullets():
            return "\n".join(f"- {_plain(line)}" for line in block.lines)
        case Facts():
            return "\n".join(f"- {_plain(k)}: {_plain(v)}" for k, v in block.pairs.items())
        case Table():
            rule = ["---"] * len(block.columns)
            return "\n".join(map(_row, (block.columns, rule, *block.rows)))
        case Picture():
            return f"![{_plain(block.description)}]({block.name}.png)"
        case Gallery():
            lines = "\n".join(f"- {_plain(each.caption)}" for each in block.exhibits)
            return f"### {_plain(block.title)}\n\n{lines}"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    """Text of a data set cannot become markup, nor end a row of a table."""
    for character in ("\\", "|", "*", "_", "`", "<", "[", "#"):
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())

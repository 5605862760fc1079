"""The report as Markdown that a comment on GitHub can hold: whole sections go before that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from skincli import __version__
from skincli.pages.markdown import Markdown, blocks, heading, plain
from skincli.reporting.facts import Facts
from skincli.reporting.head import head
from skincli.reporting.sections import Section, sections

# GitHub refuses a comment of more than 65,536 characters; the rest is for who posts it.
LIMIT: Final = 60_000


@dataclass(frozen=True, slots=True)
class Written:
    """The text, and the titles of the sections that it has no room for."""

    text: str
    left_out: tuple[str, ...]


def to_markdown(facts: Facts, pictures: Sequence[str], limit: int = LIMIT) -> Written:
    """The whole report in at most `limit` characters. `pictures` are the files beside it."""
    kept, left_out = list(sections(facts)), list[str]()
    text = _text(facts, kept, left_out, pictures)
    while len(text) > limit and len(kept) > 1:
        least = min(kept, key=lambda section: section.weight)
        kept.remove(least)
        left_out.append(least.title)
        text = _text(facts, kept, left_out, pictures)
    return Written(text, tuple(left_out))


def _text(
    facts: Facts, kept: Sequence[Section], left_out: Sequence[str], pictures: Sequence[str]
) -> str:
    bodies = (block for each in kept for block in (heading(3, each.title), each.body))
    return blocks((head(facts), *bodies, _foot(left_out, pictures))) + "\n"


def _foot(left_out: Sequence[str], pictures: Sequence[str]) -> Markdown:
    lines = []
    if left_out:
        lines.append(
            f"Left out for want of room: {', '.join(left_out)}. The file report.json has all."
        )
    if pictures:
        lines.append(f"Pictures in the folder of this report: {', '.join(pictures)}.")
    lines.append(f"Made by skincli {__version__}.")
    return Markdown(f"<sub>{' '.join(map(plain, lines))}</sub>")

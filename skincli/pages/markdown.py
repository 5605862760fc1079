"""Markdown out of plain text: whatever is not `Markdown` already is escaped, so that no name of a
run or value of a data set becomes markup, calls anybody, or ends the row of a table.

What GitHub adds to CommonMark counts too (https://github.github.com/gfm): it looks for `@names`,
`#1` and addresses in the finished text, where a backslash is gone. A space without width is not.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

_APART: Final = "\N{ZERO WIDTH SPACE}"
_FIRM: Final = "\N{NO-BREAK SPACE}"
_BREAKABLE: Final = re.compile(rf"[^\S{_FIRM}]+")
_MARKUP: Final = re.compile(r"([\\`*_\[\]<>|~&#])")
# Where a line would begin a list or be a rule.
_BULLET: Final = re.compile(r"^(?=[-+](?:\s|$)|-[- ]*$)")
_NUMBERED: Final = re.compile(r"^(\d{1,9})(?=[.)](?:\s|$))")
# Where GitHub would see a mention, a reference, an address or an emoji.
_SEEN_LATER: Final = re.compile(
    r"@|(?:#|GH-)(?=\d)|www(?=\.)|:(?=//|[a-z+-][\w+-]*:)", re.IGNORECASE
)
_BACKTICKS: Final = re.compile(r"`+")


class Markdown(str):
    """Text that is markup."""

    __slots__ = ()


def plain(text: str) -> Markdown:
    """Text as it is to be read, on one line.

    What cannot be printed, such as marks that turn the direction of writing, is replaced.
    """
    if isinstance(text, Markdown):
        return text
    escaped = _MARKUP.sub(r"\\\1", _unseen(shown(text)))
    escaped = _NUMBERED.sub(r"\1\\", _BULLET.sub(r"\\", escaped))
    escaped = escaped.replace(_APART, "&#8203;")
    return Markdown(escaped.replace("$", "<span>$</span>"))  # no mathematics


def shown(text: str) -> str:
    """What a reader sees of a text that is escaped; a space that may not break stays one."""
    line = _BREAKABLE.sub(" ", text).strip()
    return "".join(
        c if c.isprintable() or c == _FIRM else "\N{REPLACEMENT CHARACTER}" for c in line
    )


def strong(text: str) -> Markdown:
    return Markdown(f"**{plain(text)}**")


def code(text: str) -> Markdown:
    """Text to be copied: nothing is put between its characters."""
    entities = (c if c.isalnum() or c in " -/=" else f"&#{ord(c)};" for c in shown(text))
    return Markdown(f"<code>{''.join(entities)}</code>")


def blocks(content: Iterable[str]) -> Markdown:
    """Paragraphs, tables and the like one below the other."""
    return Markdown("\n\n".join(map(plain, content)))


def heading(level: int, text: str) -> Markdown:
    return Markdown(f"{'#' * level} {plain(text)}")


def bullets(lines: Iterable[str]) -> Markdown:
    return Markdown("\n".join(f"- {plain(line)}" for line in lines))


def facts(pairs: Mapping[str, str]) -> Markdown:
    """A list of names and values."""
    return bullets(Markdown(f"{plain(name)}: {plain(value)}") for name, value in pairs.items())


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Markdown:
    rule = [Markdown("---")] * len(columns)
    lines = (f"| {' | '.join(map(plain, cells))} |" for cells in (columns, rule, *rows))
    return Markdown("\n".join(lines))


def fenced(language: str, text: str) -> Markdown:
    """Lines that are shown as they are, between fences that none of them can close."""
    longest = max((len(found) for found in _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markdown(f"{fence}{language}\n{text.rstrip()}\n{fence}")


def details(summary: str, *content: str) -> Markdown:
    """What a reader opens by a click on `summary`."""
    opening = f"<details>\n<summary>{escape(_unseen(shown(summary)))}</summary>"
    return blocks((Markdown(opening), *content, Markdown("</details>")))


def _unseen(text: str) -> str:
    return _SEEN_LATER.sub(lambda match: match[0] + _APART, text)

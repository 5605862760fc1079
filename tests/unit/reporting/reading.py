"""Markdown read back as a reader of a comment sees it: tables as cells, text without markup."""

from markdown_it import MarkdownIt
from markdown_it.token import Token

# What keeps GitHub from calling people; nobody sees it.
UNSEEN = "\N{ZERO WIDTH SPACE}"
_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
# The only markup within a line that escaped text may hold, and what `strong` and `code` make.
_ALLOWED = ("<span>", "</span>", "<code>", "</code>")


def parse(markdown: str) -> list[Token]:
    return _PARSER.parse(markdown)


def text_of(inline: Token) -> str:
    """What is read of a line; any markup that is not ours is an error."""
    parts = []
    for child in inline.children or []:
        if child.type == "html_inline":
            assert child.content in _ALLOWED, child.content
        else:
            assert child.type in ("text", "text_special", "strong_open", "strong_close"), child
        parts.append("" if child.type == "html_inline" else child.content)
    return "".join(parts).replace(UNSEEN, "")


def tables(markdown: str) -> list[list[list[str]]]:
    """The cells of every table, the header first."""
    found: list[list[list[str]]] = []
    tokens = parse(markdown)
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif before is not None and before.type in ("th_open", "td_open"):
            found[-1][-1].append(text_of(token))
    return found

"""How text of others is told in a report."""

from typing import Final

# A name of more characters says no more, and a comment has an end.
_LONGEST: Final = 300


def cut(text: str) -> str:
    """The text, without the end of one that is far too long."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

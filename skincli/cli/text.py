"""Text that is safe to print."""

_SHOWN = "\n\t"


def printable(text: str) -> str:
    """Text without control characters: file names and table cells may hold any."""
    return "".join(
        c if c.isprintable() or c in _SHOWN else "\N{REPLACEMENT CHARACTER}" for c in text
    )

"""The options that every command takes, and telling overrides from other words."""

import re
from pathlib import Path
from typing import Annotated

import typer

from skincli.errors import UsageError

_OVERRIDE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*=.*", re.DOTALL)

Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="Settings, such as `data=synthetic seed=1`."),
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="YAML with settings.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, nothing else.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback when something fails.")]


def is_override(word: str) -> bool:
    """Whether a word of the command line reads `section.key=value`."""
    return bool(_OVERRIDE.fullmatch(word))


def protect_words_after_dashes(argv: list[str]) -> list[str]:
    """Make what follows `--` a path where it would read as an override: `./a=b.jpg`."""
    if "--" not in argv:
        return argv
    start = argv.index("--") + 1
    return argv[:start] + [f"./{word}" if is_override(word) else word for word in argv[start:]]


def split_words(words: list[str] | None) -> tuple[list[str], list[str]]:
    """The words that are no overrides, and the overrides, each in order."""
    words = words or []
    return [w for w in words if not is_override(w)], [w for w in words if is_override(w)]


def only_word(words: list[str], what: str) -> str:
    """The single word that must be there. Raises UsageError."""
    if len(words) != 1:
        found = f"got {len(words)}: {' '.join(words)}" if words else "got none"
        raise UsageError(f"give exactly one {what}, {found}")
    return words[0]

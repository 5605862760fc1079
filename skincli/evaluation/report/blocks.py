"""What a report is made of, before it is HTML or Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from skincli.evaluation.exhibits import Exhibit
from skincli.evaluation.resampling import Interval

_SPELLED: Final = {"ece": "ECE", "auroc": "AUROC", "f1": "F1", "brier": "Brier score"}


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values."""

    pairs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The first cell of a row is its heading."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Picture:
    """One of the drawn figures, by its name, and what it shows, for who cannot see it."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Gallery:
    title: str
    exhibits: Sequence[Exhibit]


Block = Text | Bullets | Facts | Table | Picture | Gallery


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    blocks: Sequence[Block]


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def spread(found: Interval | None) -> str:
    """A figure with its interval; a note where many resamples could not define it."""
    if found is None:
        return "–"
    # Unbreakable, so that a narrow cell breaks before the bracket.
    text = (
        f"{found.value:.3f} ({found.low:.3f}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{found.high:.3f})"
    )
    return f"{text}, undefined in {found.undefined:.0%}" if found.undefined >= 0.01 else text


def words(name: str) -> str:
    """A figure's name for people."""
    spelled = (f"{w} %" if w.isdigit() else _SPELLED.get(w, w) for w in name.split("_"))
    return " ".join(spelled)

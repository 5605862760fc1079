"""The proof that a split does not leak: no lesion, group, file or duplicate in two parts."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from skincli.data.splitting.rows import SplitRow, SplitVersion


@dataclass(frozen=True, slots=True)
class Leak:
    """Something that lies in more than one part; `images` are those it ties together."""

    kind: Literal["lesion", "group", "file", "duplicate"]
    name: str
    parts: tuple[str, ...]
    images: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(self.images[:3]) + (", …" if len(self.images) > 3 else "")
        return f"{self.kind} {self.name} lies in {' and '.join(self.parts)} ({shown})"


def find_leaks(split: SplitVersion) -> list[Leak]:
    """Everything that crosses the parts of `split`; none if it is sound."""
    used = [row for row in split.rows if row.part != "quarantined"]
    part = {row.image_id: row.part for row in used}
    pairs = [p for p in split.duplicates if p.first in part and p.second in part]
    return [
        *_crossing("lesion", ((row.lesion_id, row) for row in used)),
        *_crossing("group", ((row.group, row) for row in used if row.group != row.lesion_id)),
        *_crossing("file", ((row.sha256, row) for row in used)),
        *(
            Leak("duplicate", f"{p.first} and {p.second}", _two(part[p.first], part[p.second]), ())
            for p in pairs
            if p.kind == "near" and part[p.first] != part[p.second]
        ),
    ]


def _two(first: str, second: str) -> tuple[str, ...]:
    return tuple(sorted((first, second)))


def _crossing(
    kind: Literal["lesion", "group", "file"], named: Iterable[tuple[str, SplitRow]]
) -> Iterator[Leak]:
    members: defaultdict[str, list[SplitRow]] = defaultdict(list)
    for name, row in named:
        members[name].append(row)
    for name, rows in members.items():
        parts = tuple(sorted({row.part for row in rows}))
        if len(parts) > 1:
            yield Leak(kind, name, parts, tuple(row.image_id for row in rows))

"""Rows as they are written to rows that can be used. What cannot be used is named, not guessed."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from skincli.data.reading.table import RawRow
from skincli.data.records import Part, Rejected
from skincli.taxonomy import DIAGNOSIS_CODES, diagnosis_code

UNKNOWN: Final = frozenset({"", "unknown", "nan", "na", "n/a", "none"})
_OLDEST: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataRow:
    """One row that can be used; `line` is its line in the CSV, `age` in years.

    `part` is the publisher's, None where the lesions have yet to be split.
    """

    line: int
    image_id: str
    lesion_id: str
    dx: str
    dx_type: str
    age: float | None
    sex: str
    localization: str
    dataset: str
    part: Part | None


class KnownImages(Protocol):
    """The images there are, as far as the metadata need to know."""

    @property
    def duplicates(self) -> frozenset[str]: ...

    def fault(self, image_id: str) -> tuple[str, str] | None: ...

    def __contains__(self, image_id: object) -> bool: ...


@dataclass(slots=True)
class Metadata:
    """The rows that can be used, by image id, those that cannot, and what is odd but allowed."""

    rows: list[MetadataRow] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)

    def reject(self, row: RawRow | MetadataRow, reason: str, detail: str = "") -> None:
        self.rejected.append(Rejected(row.line, row.image_id, reason, detail))


def check_rows(raw: Iterable[RawRow], images: KnownImages) -> Metadata:
    """Sieve rows: empty ids, unknown diagnoses, impossible ages, conflicts, missing images."""
    metadata = Metadata()
    newborn: list[int] = []
    for row in _listed_once(raw, metadata):
        checked = _check(row, metadata)
        if checked is not None and _has_image(row, images, metadata):
            metadata.rows.append(checked)
            if checked.age == 0:
                newborn.append(row.line)
    if newborn:
        rows = f"{len(newborn):,} row{'s' if len(newborn) > 1 else ''}"
        metadata.oddities.append(f"age 0: {rows}, kept (from line {newborn[0]})")
    metadata.rows.sort(key=lambda row: row.image_id)
    _mention_several_diagnoses(metadata)
    return metadata


def lesion_diagnoses(rows: Iterable[MetadataRow]) -> dict[str, str]:
    """One diagnosis per lesion: that of most of its images, ties by code."""
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        votes[row.lesion_id][row.dx] += 1
    return {k: min(counts, key=lambda dx: (-counts[dx], dx)) for k, counts in votes.items()}


def _listed_once(raw: Iterable[RawRow], metadata: Metadata) -> list[RawRow]:
    """One row for each image id; where labels conflict there is no telling which one is right."""
    by_id: defaultdict[str, list[RawRow]] = defaultdict(list)
    once: list[RawRow] = []
    for row in raw:
        if row.image_id:
            by_id[row.image_id].append(row)
        else:
            metadata.reject(row, "empty image id", row.lesion_id)
    for first, *others in by_id.values():
        labels = {_label(row) for row in (first, *others)}
        if len(labels) == 1:
            once.append(first)
            for row in others:
                seen = f"as in line {first.line}" if first.line else ""
                metadata.reject(row, "image listed twice", seen)
            continue
        for row in (first, *others):
            found = f"{row.lesion_id} {row.dx}"
            metadata.reject(row, "image listed with conflicting labels", found)
    return once


def _label(row: RawRow) -> tuple[str, ...]:
    return row.lesion_id, diagnosis_code(row.dx) or row.dx.casefold(), row.part


def _check(row: RawRow, metadata: Metadata) -> MetadataRow | None:
    dx, age = diagnosis_code(row.dx), _age(row.age)
    if row.surplus:
        metadata.reject(row, "more cells than columns", row.surplus)
    elif row.lesion_id.lower() in UNKNOWN:
        metadata.reject(row, "empty lesion id", row.lesion_id)
    elif dx is None:
        metadata.reject(row, f"diagnosis not one of {' '.join(DIAGNOSIS_CODES)}", row.dx)
    elif age is not None and math.isnan(age):
        metadata.reject(row, f"age not a number from 0 to {_OLDEST}", row.age)
    else:
        return MetadataRow(
            line=row.line,
            image_id=row.image_id,
            lesion_id=row.lesion_id,
            dx=dx,
            dx_type=row.dx_type,
            age=age,
            sex=row.sex,
            localization=row.localization,
            dataset=row.dataset,
            part=row.part or None,  # type: ignore[arg-type]
        )
    return None


def _age(text: str) -> float | None:
    """Years; None where unknown, not-a-number where the text is no age."""
    if text.lower() in UNKNOWN:
        return None
    try:
        age = float(text)
    except ValueError:
        return math.nan
    return age if 0 <= age <= _OLDEST else math.nan


def _has_image(row: RawRow, images: KnownImages, metadata: Metadata) -> bool:
    fault = images.fault(row.image_id)
    if fault is not None:
        metadata.reject(row, *fault)
    elif row.image_id not in images:
        metadata.reject(row, "image missing")
    elif row.image_id in images.duplicates:
        metadata.reject(row, "several image files of that name")
    else:
        return True
    return False


def _mention_several_diagnoses(metadata: Metadata) -> None:
    pairs = {(row.lesion_id, row.dx) for row in metadata.rows}
    lesions = sorted(k for k, n in Counter(lesion for lesion, _ in pairs).items() if n > 1)
    if lesions:
        metadata.oddities.append(f"lesions with more than one diagnosis: {some(lesions)}")


def some(names: Sequence[str], shown: int = 3) -> str:
    """A count and the first few: `12 (a, b, c, …)`."""
    more = ", …" if len(names) > shown else ""
    return f"{len(names):,} ({', '.join(names[:shown])}{more})"

"""The metadata CSV to checked rows. Every problem is found before any is reported."""

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from skincli.config.data import ColumnsConfig
from skincli.errors import DataError
from skincli.imaging import IMAGE_SUFFIXES
from skincli.taxonomy import DIAGNOSIS_CODES

UNKNOWN: Final = frozenset({"", "unknown", "nan", "na", "n/a", "none"})
_REQUIRED: Final = ("image_id", "lesion_id", "dx")
_SHOWN: Final = 100
_OLDEST: Final = 120


@dataclass(frozen=True, slots=True)
class MetadataRow:
    """One row of the CSV; `line` is its line in the file, `age` in years."""

    line: int
    image_id: str
    lesion_id: str
    dx: str
    dx_type: str
    age: float | None
    sex: str
    localization: str
    dataset: str


class KnownImages(Protocol):
    """The images there are, as far as the metadata need to know."""

    @property
    def duplicates(self) -> frozenset[str]: ...

    def __contains__(self, image_id: object) -> bool: ...


@dataclass(slots=True)
class _Problems:
    """What is wrong, by kind, each with its line and value."""

    path: Path
    found: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, kind: str, line: int, value: str) -> None:
        self.found[kind].append(f"line {line}: `{value}`" if value else f"line {line}")

    def raise_any(self) -> None:
        if not self.found:
            return
        total = sum(len(places) for places in self.found.values())
        kinds = "\n".join(
            f"  {kind}: {len(places):,} ({', '.join(places[:_SHOWN])}"
            f"{f' and {len(places) - _SHOWN:,} more' if len(places) > _SHOWN else ''})"
            for kind, places in self.found.items()
        )
        raise DataError(
            f"`{self.path}` has {total:,} problem{'s' if total > 1 else ''}:\n{kinds}",
            "mend the rows or remove them, then run the same command again",
        )


def image_id_of(name: str) -> str:
    """A file name without its folder, and without its suffix where that is an image's."""
    plain = Path(name).name
    return Path(plain).stem if Path(plain).suffix.lower() in IMAGE_SUFFIXES else plain


def read_metadata(
    path: Path, columns: ColumnsConfig, images: KnownImages | None = None
) -> list[MetadataRow]:
    """The rows of a CSV (UTF-8, with or without a byte order mark), sorted by image id.

    With `images`, each row must have its image. Raises DataError that counts and locates all
    problems: columns that are missing, then rows that cannot be used.
    """
    problems = _Problems(path)
    rows: dict[str, MetadataRow] = {}
    for line, record in _records(path, columns):
        row = _parse(line, record, columns, problems)
        if row.image_id and row.image_id in rows:
            problems.add("image listed twice", line, row.image_id)
        rows[row.image_id] = row
    if images is not None:
        _match(rows.values(), images, problems)
    problems.raise_any()
    if not rows:
        raise DataError(f"`{path}` holds no rows")
    return [rows[image_id] for image_id in sorted(rows)]


def _records(path: Path, columns: ColumnsConfig) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells of each row, trimmed. A short row's missing cells are empty."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"there is no metadata file `{path}`") from None
    except UnicodeDecodeError as error:
        raise DataError(f"`{path}` is not UTF-8 text ({error})", "save it as UTF-8") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    header = reader.fieldnames or []
    missing = [getattr(columns, key) for key in _REQUIRED if getattr(columns, key) not in header]
    if missing:
        raise DataError(
            f"`{path}` lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
            f"it has {', '.join(header) or 'none'}",
            "name your columns with data.folder.columns.image_id=…, .lesion_id=… and .dx=…",
        )
    try:
        for record in reader:
            yield reader.line_num, {k: (v or "").strip() for k, v in record.items() if k}
    except csv.Error as error:
        raise DataError(f"`{path}` line {reader.line_num} is not CSV: {error}") from None


def _parse(
    line: int, record: dict[str, str], columns: ColumnsConfig, problems: _Problems
) -> MetadataRow:
    image_id = image_id_of(record[columns.image_id])
    lesion_id = record[columns.lesion_id]
    dx = record[columns.dx].lower()
    if not image_id:
        problems.add("empty image id", line, "")
    if not lesion_id:
        problems.add("empty lesion id", line, image_id)
    if dx not in DIAGNOSIS_CODES:
        problems.add(f"diagnosis not one of {' '.join(DIAGNOSIS_CODES)}", line, dx)
    return MetadataRow(
        line=line,
        image_id=image_id,
        lesion_id=lesion_id,
        dx=dx,
        dx_type=record.get(columns.dx_type, ""),
        age=_age(line, record.get(columns.age, ""), problems),
        sex=record.get(columns.sex, ""),
        localization=record.get(columns.localization, ""),
        dataset=record.get(columns.dataset, ""),
    )


def _age(line: int, text: str, problems: _Problems) -> float | None:
    if text.lower() in UNKNOWN:
        return None
    try:
        age = float(text)
    except ValueError:
        age = math.nan
    if not 0 <= age <= _OLDEST:
        problems.add(f"age not a number from 0 to {_OLDEST}", line, text)
    return age


def _match(rows: Iterable[MetadataRow], images: KnownImages, problems: _Problems) -> None:
    for row in rows:
        if row.image_id and row.image_id not in images:
            problems.add("image missing", row.line, row.image_id)
        elif row.image_id in images.duplicates:
            problems.add("several image files of that name", row.line, row.image_id)

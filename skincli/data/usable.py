"""The images of a set that can be used, and those that cannot: listed, counted, told."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from skincli.config.schema import Config
from skincli.data.inspecting.log import Inspection
from skincli.data.inspecting.look import inspect_images
from skincli.data.reading.metadata import MetadataRow, some
from skincli.data.reading.opening import OpenSource
from skincli.data.records import Rejected
from skincli.data.storage import SetFolder, write_csv
from skincli.errors import DataError
from skincli.imaging import Limits
from skincli.progress import Progress

_SHOWN: Final = 5
_COLUMNS: Final = tuple(field.name for field in fields(Rejected))


@dataclass(frozen=True, slots=True)
class UsableImages:
    """Rows by image id, what is known of their files, and what was left out."""

    rows: tuple[MetadataRow, ...]
    inspection: Inspection
    rejected: tuple[Rejected, ...]


def usable_images(
    config: Config, folder: SetFolder, source: OpenSource, progress: Progress
) -> UsableImages:
    """Look at every image that has a sound row; what is left out is written to `rejected.csv`.

    Raises DataError when nothing is left, or with `data.strict` when anything is left out.
    """
    image_ids = [row.image_id for row in source.metadata.rows]
    limits = Limits.of(config.image)
    inspection = inspect_images(folder.inspected, source.images, image_ids, limits, progress)
    usable = sieve(source, inspection)
    _report(folder.rejected, usable.rejected, len(usable.rows), config.data.strict, progress)
    return usable


def sieve(source: OpenSource, inspection: Inspection) -> UsableImages:
    """The rows whose images can be used, and everything that cannot."""
    checked = source.metadata.rows
    faults = {row.image_id: inspection.facts[row.image_id].fault for row in checked}
    unreadable = [
        Rejected(row.line, row.image_id, "image cannot be read", faults[row.image_id])
        for row in checked
        if faults[row.image_id]
    ]
    rows = tuple(row for row in checked if not faults[row.image_id])
    return UsableImages(rows, inspection, (*rejected_rows(source), *unreadable))


def rejected_rows(source: OpenSource) -> tuple[Rejected, ...]:
    """What is rejected without looking at images: rows, and archive entries that have no row."""
    rejected = source.metadata.rejected
    listed = {item.image_id for item in rejected}
    return (*rejected, *(item for item in source.images.refused if item.image_id not in listed))


def mention_oddities(usable: UsableImages, source: OpenSource, progress: Progress) -> None:
    """Say what is allowed but seldom meant."""
    for oddity in source.metadata.oddities:
        progress.note(oddity)
    listed = {row.image_id for row in source.metadata.rows}
    listed |= {item.image_id for item in source.metadata.rejected}
    unused = sorted(source.images.ids - listed)
    if unused:
        progress.warn(f"images without a metadata row: {some(unused)}")
    converted: defaultdict[str, list[str]] = defaultdict(list)
    for row in usable.rows:
        kind = usable.inspection.facts[row.image_id].converted
        if kind:
            converted[kind].append(row.image_id)
    for kind, image_ids in sorted(converted.items()):
        progress.note(f"converted to upright 8-bit RGB, {kind}: {some(image_ids)}")


def _report(
    path: Path, rejected: Sequence[Rejected], n_left: int, strict: bool, progress: Progress
) -> None:
    if not rejected:
        path.unlink(missing_ok=True)
        if not n_left:
            raise DataError("the metadata hold no rows", "check that it is the right file")
        return
    cells = [[getattr(item, name) for name in _COLUMNS] for item in rejected]
    write_csv(path, _COLUMNS, cells)
    total = f"{len(rejected):,} row{'s' if len(rejected) > 1 else ''}"
    kinds = "\n".join(f"  {line}" for line in _by_reason(rejected))
    if strict or not n_left:
        left = "" if n_left else ", and nothing else is left"
        raise DataError(
            f"{total} cannot be used{left}:\n{kinds}",
            f"mend or remove them; all are listed in `{path}`",
        )
    progress.warn(f"{total} left out, {n_left:,} used; listed in `{path}`:\n{kinds}")


def _by_reason(rejected: Sequence[Rejected]) -> list[str]:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for item in rejected:
        where = f"line {item.line}" if item.line else item.image_id
        what = item.detail or (item.image_id if item.line else "")
        places[item.reason].append(f"{where}: {what}" if what else where)
    return [
        f"{reason}: {len(found):,} ({'; '.join(found[:_SHOWN])}"
        f"{f'; and {len(found) - _SHOWN:,} more' if len(found) > _SHOWN else ''})"
        for reason, found in places.items()
    ]

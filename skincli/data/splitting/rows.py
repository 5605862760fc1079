"""A split as data: a row for every image."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from skincli.data.records import Assigned, DuplicatePair, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitImage:
    """What a split has to know of an image; `official` is the publisher's part, None without."""

    image_id: str
    lesion_id: str
    dx: str
    sha256: str
    official: Part | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRow:
    """One image in a split.

    `group` names the lesions that near-duplicates tie together, `since` is the version that brought
    the image. A quarantined image would tie lesions of two parts together and belongs to neither.
    """

    image_id: str
    lesion_id: str
    group: str
    dx: str
    sha256: str
    part: Assigned
    since: int


SPLIT_COLUMNS: Final = tuple(field.name for field in fields(SplitRow))


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitVersion:
    """A stored split. `inputs` is the digest of the images it was made for.

    `altered` is True when the rows are not those that were stored.
    """

    folder: Path
    version: int
    inputs: str
    official: bool
    rows: tuple[SplitRow, ...]
    duplicates: tuple[DuplicatePair, ...]
    altered: bool

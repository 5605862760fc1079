"""A fetched set as this package sees it. The one file here that asks the rest of the data room."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image

from skincli.config.schema import Config
from skincli.data.preparing import find_prepared
from skincli.data.raw import SourceRecord
from skincli.data.reading.metadata import MetadataRow, lesion_diagnoses
from skincli.data.reading.opening import OpenSource, open_source
from skincli.data.records import Assigned, DuplicatePair, PreparedSet, Rejected
from skincli.data.splitting.rank import part_of
from skincli.data.storage import SetFolder
from skincli.data.usable import rejected_rows
from skincli.errors import DataError
from skincli.imaging import Limits, decode

# An image by its id, at full size or no smaller than twice the side given. Raises ImageError.
Picture = Callable[[str, int | None], Image.Image]


@dataclass(frozen=True, slots=True)
class Contents:
    """All there is to be seen: `parts` by image id, `diagnoses` by lesion id.

    `rows` are those that can be used, `rejected` the others. `duplicates` is None until they were
    looked for, `prepared` until the set was prepared at the configured size and crop.
    """

    name: str
    folder: SetFolder
    record: SourceRecord
    rows: Sequence[MetadataRow]
    parts: Mapping[str, Assigned]
    diagnoses: Mapping[str, str]
    rejected: Sequence[Rejected]
    duplicates: Sequence[DuplicatePair] | None
    prepared: PreparedSet | None
    picture: Picture


@contextmanager
def open_contents(config: Config) -> Iterator[Contents]:
    """Open a fetched set. Raises DataError when nothing was fetched or it cannot be used."""
    folder = SetFolder.of(config.data)
    limits = Limits.of(config.image)
    with open_source(config) as source:
        prepared = find_prepared(config, source)

        def picture(image_id: str, at_least: int | None) -> Image.Image:
            return decode(source.images.read(image_id), limits, at_least)

        parts = _parts(config, source, prepared)
        rows = [row for row in source.metadata.rows if row.image_id in parts]
        if not rows:
            raise DataError(
                f"`{folder.raw}` holds no image that can be used", "`skincli data prepare` says why"
            )
        yield Contents(
            name=config.data.set_name,
            folder=folder,
            record=source.record,
            rows=rows,
            parts=parts,
            diagnoses=lesion_diagnoses(rows),
            rejected=rejected_rows(source) if prepared is None else prepared.rejected,
            duplicates=prepared.duplicates if prepared else None,
            prepared=prepared,
            picture=picture,
        )


def _parts(config: Config, source: OpenSource, prepared: PreparedSet | None) -> dict[str, Assigned]:
    """The part of every image that can be used; where it is not prepared, as far as can be told."""
    if prepared is not None:
        return {sample.image_id: sample.part for sample in prepared.samples}
    shares = config.data.parts
    return {
        row.image_id: row.part or part_of(row.lesion_id, shares) for row in source.metadata.rows
    }

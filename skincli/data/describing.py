"""The verb `describe`: what a fetched data set holds, without decoding an image."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from skincli.config.schema import Config
from skincli.data.fingerprints import Stamps
from skincli.data.keys import known_hashes, pack_key
from skincli.data.pack import open_pack
from skincli.data.preparing import count_parts
from skincli.data.reading.metadata import UNKNOWN, MetadataRow, read_metadata
from skincli.data.reading.opening import OpenSource, open_source
from skincli.data.records import DataInfo, PreparedSet
from skincli.data.splits import assign_parts, lesion_diagnoses
from skincli.data.storage import SetFolder

_OPTIONAL: Final = ("dx_type", "age", "sex", "localization", "dataset")
_BAND: Final = 20


def describe(config: Config) -> DataInfo:
    """Counts by diagnosis, part and patient, missing values, and fingerprints once prepared.

    Raises DataError when nothing was fetched or the metadata cannot be used.
    """
    folder = SetFolder.of(config.data)
    with open_source(config) as source:
        rows = read_metadata(source.metadata, source.columns, source.images)
        prepared = _find_prepared(config, rows, source, folder)
    diagnoses = lesion_diagnoses((row.lesion_id, row.dx) for row in rows)
    parts = assign_parts(diagnoses, config.data.parts)
    record = source.record
    return DataInfo(
        name=config.data.set_name,
        source=record.source,
        origin=record.origin,
        licence=record.licence,
        synthetic=record.synthetic,
        verified=record.verified,
        raw_folder=folder.raw,
        n_images=len(rows),
        n_lesions=len(diagnoses),
        images_by_dx=_count(rows, lambda row: row.dx),
        lesions_by_dx=_by_frequency(Counter(diagnoses.values())),
        parts=count_parts([(parts[row.lesion_id], row.dx) for row in rows]),
        by_sex=_count(rows, lambda row: row.sex),
        by_age=dict(sorted(_count(rows, _age_band).items())),
        by_localization=_count(rows, lambda row: row.localization),
        by_dx_type=_count(rows, lambda row: row.dx_type),
        by_dataset=_count(rows, lambda row: row.dataset),
        missing={name: sum(_is_missing(row, name) for row in rows) for name in _OPTIONAL},
        prepared_folder=prepared.folder if prepared else None,
        prepared=prepared.manifest if prepared else None,
    )


def _find_prepared(
    config: Config, rows: Sequence[MetadataRow], source: OpenSource, folder: SetFolder
) -> PreparedSet | None:
    hashes = known_hashes(rows, source, Stamps(folder.stamps))
    if hashes is None:
        return None
    return open_pack(folder.prepared / pack_key(config, rows, source, hashes))


def _count(rows: Sequence[MetadataRow], value: Callable[[MetadataRow], str]) -> dict[str, int]:
    return _by_frequency(Counter(value(row) or "unknown" for row in rows))


def _by_frequency(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _age_band(row: MetadataRow) -> str:
    """Bands of 20 years, such as `40-59`."""
    if row.age is None:
        return "unknown"
    start = int(row.age // _BAND) * _BAND
    return f"{start:02d}-{start + _BAND - 1}"


def _is_missing(row: MetadataRow, column: str) -> bool:
    value = getattr(row, column)
    return value is None or (isinstance(value, str) and value.lower() in UNKNOWN)

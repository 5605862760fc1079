"""The verb `describe`: what a fetched data set holds, without decoding an image."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from skincli.config.schema import Config
from skincli.data.reading.metadata import UNKNOWN, MetadataRow
from skincli.data.records import PARTS, DataInfo, DuplicatePair
from skincli.data.seeing.association import find_confounding
from skincli.data.seeing.cautions import cautions
from skincli.data.seeing.contents import Contents, open_contents
from skincli.taxonomy import DIAGNOSIS_CODES

_OPTIONAL: Final = ("dx_type", "age", "sex", "localization", "dataset")
_BAND: Final = 20
_UNKNOWN: Final = "unknown"

Value = Callable[[MetadataRow], str]


def describe(config: Config) -> DataInfo:
    """Counts by diagnosis, part and patient, missing values, pitfalls, and fingerprints.

    Raises DataError when nothing was fetched or the metadata cannot be used.
    """
    with open_contents(config) as contents:
        return summarise(contents)


def summarise(contents: Contents) -> DataInfo:
    """The counts of a set that is open."""
    rows, record, prepared = contents.rows, contents.record, contents.prepared
    dx_by_dataset = _cross(rows, lambda row: row.dataset, lambda row: row.dx)
    lesions = Counter(row.lesion_id for row in rows)
    info = DataInfo(
        name=contents.name,
        source=record.source,
        origin=record.origin,
        licence=record.licence,
        synthetic=record.synthetic,
        verified=record.verified,
        raw_folder=contents.folder.raw,
        n_images=len(rows),
        n_lesions=len(lesions),
        images_by_dx=_count(rows, lambda row: row.dx),
        lesions_by_dx=_by_frequency(Counter(contents.diagnoses.values())),
        images_per_lesion=dict(sorted(Counter(lesions.values()).items())),
        parts=_count_parts(contents),
        by_sex=_count(rows, lambda row: row.sex),
        by_age=dict(sorted(_count(rows, _age_band).items())),
        by_localization=_count(rows, lambda row: row.localization),
        by_dx_type=_count(rows, lambda row: row.dx_type),
        by_dataset=_count(rows, lambda row: row.dataset),
        missing={name: sum(_is_missing(row, name) for row in rows) for name in _OPTIONAL},
        dx_by_dataset=dx_by_dataset,
        dx_type_by_dx=_cross(rows, lambda row: row.dx, lambda row: row.dx_type),
        confounding=find_confounding(dx_by_dataset),
        rejected=_by_frequency(Counter(row.reason for row in contents.rejected)),
        duplicates=None if contents.duplicates is None else _count_pairs(contents.duplicates),
        cautions=(),
        prepared_folder=prepared.folder if prepared else None,
        prepared=prepared.manifest if prepared else None,
    )
    return replace(info, cautions=cautions(info))


def _count_parts(contents: Contents) -> dict[str, dict[str, int]]:
    counts = Counter((contents.parts[row.image_id], row.dx) for row in contents.rows)
    return {part: {dx: counts[part, dx] for dx in DIAGNOSIS_CODES} for part in PARTS}


def _count_pairs(pairs: Iterable[DuplicatePair]) -> dict[str, int]:
    within = [pair.first_lesion == pair.second_lesion for pair in pairs]
    return {"within lesions": sum(within), "across lesions": len(within) - sum(within)}


def _count(rows: Iterable[MetadataRow], value: Value) -> dict[str, int]:
    return _by_frequency(Counter(_known(value(row)) for row in rows))


def _cross(rows: Sequence[MetadataRow], outer: Value, inner: Value) -> dict[str, dict[str, int]]:
    """Counts of the inner value for each outer value, both by frequency."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        counts[_known(outer(row))][_known(inner(row))] += 1
    return {name: _by_frequency(counts[name]) for name in _count(rows, outer)}


def _by_frequency(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _age_band(row: MetadataRow) -> str:
    """Bands of 20 years, such as `40-59`."""
    if row.age is None:
        return _UNKNOWN
    start = int(row.age // _BAND) * _BAND
    return f"{start:02d}-{start + _BAND - 1}"


def _is_missing(row: MetadataRow, column: str) -> bool:
    value = getattr(row, column)
    return value is None or (isinstance(value, str) and value.lower() in UNKNOWN)


def _known(text: str) -> str:
    return _UNKNOWN if text.lower() in UNKNOWN else text

"""The verb `prepare`: raw data to a prepared set, once for each size, crop and split."""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from skincli.config.schema import Config
from skincli.data.fingerprints import (
    Stamps,
    dataset_fingerprint,
    digest_of,
    split_fingerprint,
)
from skincli.data.keys import input_hashes, pack_key
from skincli.data.pack import Shot, decode_images, open_pack, pack_bytes, write_tables
from skincli.data.reading.metadata import MetadataRow, read_metadata
from skincli.data.reading.opening import OpenSource, open_source
from skincli.data.records import PARTS, Manifest, Part, PreparedSet, PrepareResult, Sample
from skincli.data.splits import assign_parts, lesion_diagnoses
from skincli.data.storage import SetFolder, put_in_place, require_space
from skincli.errors import SkincliError
from skincli.imaging import Limits
from skincli.progress import Progress
from skincli.taxonomy import DIAGNOSIS_CODES

_SHOWN: Final = 3


def prepare(config: Config, progress: Progress) -> PrepareResult:
    """Check the metadata, split by lesion, decode every image; nothing when all is unchanged.

    Raises DataError for metadata or images that cannot be used, and when nothing was fetched.
    """
    folder = SetFolder.of(config.data)
    with open_source(config) as source, folder.locked(progress):
        rows = read_metadata(source.metadata, source.columns, source.images)
        _mention_oddities(rows, source, progress)
        hashes = input_hashes(rows, source, Stamps(folder.stamps), progress)
        target = folder.prepared / pack_key(config, rows, source, hashes)
        prepared = open_pack(target)
        if prepared is not None:
            return PrepareResult(prepared, created=False)
        return PrepareResult(_make(target, config, rows, source, progress), created=True)


def _mention_oddities(rows: Sequence[MetadataRow], source: OpenSource, progress: Progress) -> None:
    """Warn of what is allowed but seldom meant."""
    unused = sorted(source.images.ids.difference(row.image_id for row in rows))
    if unused:
        progress.warn(f"images without a metadata row: {_some(unused)}")
    pairs = {(row.lesion_id, row.dx) for row in rows}
    several = sorted(k for k, n in Counter(lesion for lesion, _ in pairs).items() if n > 1)
    if several:
        progress.warn(f"lesions with more than one diagnosis: {_some(several)}")


def _some(names: Sequence[str]) -> str:
    more = ", …" if len(names) > _SHOWN else ""
    return f"{len(names):,} ({', '.join(names[:_SHOWN])}{more})"


def _make(
    target: Path,
    config: Config,
    rows: Sequence[MetadataRow],
    source: OpenSource,
    progress: Progress,
) -> PreparedSet:
    parts = assign_parts(lesion_diagnoses((r.lesion_id, r.dx) for r in rows), config.data.parts)
    for leftover in target.parent.glob("*.partial"):
        shutil.rmtree(leftover)
    partial = target.with_name(target.name + ".partial")
    partial.mkdir(parents=True)
    size = config.data.image_size
    require_space(partial, pack_bytes(len(rows), size))
    shot = Shot(size, config.data.crop, Limits.of(config.image))
    digests = decode_images(partial, source.images, [r.image_id for r in rows], shot, progress)
    samples = [
        _sample(row, parts[row.lesion_id], digest)
        for row, digest in zip(rows, digests, strict=True)
    ]
    write_tables(partial, samples, _manifest(config, source, samples))
    put_in_place(partial, target)
    prepared = open_pack(target)
    if prepared is None:
        raise SkincliError(f"`{target}` cannot be read back after writing", "check the disk")
    return prepared


def _sample(row: MetadataRow, part: Part, sha256: str) -> Sample:
    return Sample(
        image_id=row.image_id,
        lesion_id=row.lesion_id,
        dx=row.dx,
        part=part,
        sha256=sha256,
        dx_type=row.dx_type,
        age=row.age,
        sex=row.sex,
        localization=row.localization,
        dataset=row.dataset,
    )


def count_parts(pairs: Sequence[tuple[Part, str]]) -> dict[str, dict[str, int]]:
    """Images per part and diagnosis, from the (part, dx) of every image."""
    counts = Counter(pairs)
    return {part: {dx: counts[part, dx] for dx in DIAGNOSIS_CODES} for part in PARTS}


def _manifest(config: Config, source: OpenSource, samples: Sequence[Sample]) -> Manifest:
    data, record = config.data, source.record
    return Manifest(
        name=data.set_name,
        source=record.source,
        synthetic=record.synthetic,
        verified=record.verified,
        licence=record.licence,
        origin=record.origin,
        image_size=data.image_size,
        crop=data.crop,
        n_images=len(samples),
        n_lesions=len({sample.lesion_id for sample in samples}),
        counts=count_parts([(sample.part, sample.dx) for sample in samples]),
        dataset_fingerprint=dataset_fingerprint(samples),
        split_fingerprint=split_fingerprint(samples),
        test_fingerprint=split_fingerprint(s for s in samples if s.part == "test"),
        settings_fingerprint=digest_of([asdict(data.parts), data.image_size, data.crop]),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )

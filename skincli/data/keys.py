"""What a prepared set depends on, and the name of its folder that follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Final

from skincli.config.schema import Config
from skincli.data.fingerprints import Stamps, digest_of
from skincli.data.reading.metadata import MetadataRow
from skincli.data.reading.opening import OpenSource
from skincli.progress import Progress

# Part of every key: raise it when the same inputs would be packed differently.
_PACK_VERSION: Final = 1


def pack_key(
    config: Config, rows: Sequence[MetadataRow], source: OpenSource, hashes: Mapping[str, str]
) -> str:
    """The name of a prepared set's folder: 12 hex digits of the hash of all that decides it."""
    record = source.record
    content = {
        "version": _PACK_VERSION,
        "source": [record.source, record.origin, record.licence, record.verified],
        "name": config.data.set_name,
        "files": dict(hashes),
        "rows": [asdict(replace(row, line=0)) for row in rows],
        "split": asdict(config.data.parts),
        "image_size": config.data.image_size,
        "crop": config.data.crop,
    }
    return digest_of(content)[:12]


def known_hashes(
    rows: Sequence[MetadataRow], source: OpenSource, stamps: Stamps
) -> dict[str, str] | None:
    """The SHA-256 of the files behind the rows, None when one has yet to be hashed."""
    known = {str(p): stamps.known(p) for p in source.images.files(row.image_id for row in rows)}
    whole = {path: digest for path, digest in known.items() if digest is not None}
    return whole if len(whole) == len(known) else None


def input_hashes(
    rows: Sequence[MetadataRow], source: OpenSource, stamps: Stamps, progress: Progress
) -> dict[str, str]:
    """The SHA-256 of the files behind the rows; only new and changed files are hashed."""
    known = known_hashes(rows, source, stamps)
    if known is not None:
        return known
    files = source.images.files(row.image_id for row in rows)
    hashes: dict[str, str] = {}
    with progress.step("Hashing files", len(files)) as step:
        for path in files:
            hashes[str(path)] = stamps.sha256(path)
            step.advance()
    stamps.save()
    return hashes

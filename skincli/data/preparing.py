"""The verb `prepare`: raw data to a prepared set. Each step is done once and kept.

::

    rows, checked ─► images, inspected ─┬─► split: its newest version fits, or is extended
                                        └─► pack: decoded at one size and crop, whatever the split
"""

from dataclasses import asdict
from pathlib import Path

from skincli.config.schema import Config
from skincli.data.inspecting.look import known_inspection
from skincli.data.joining import join
from skincli.data.packing.decode import Shot
from skincli.data.packing.pack import Identity, make_pack, open_pack, pack_folder
from skincli.data.packing.packed import PackedImages
from skincli.data.reading.opening import OpenSource, open_source
from skincli.data.records import PreparedSet, PrepareResult
from skincli.data.splitting.current import current_split, matching_split
from skincli.data.splitting.rows import SplitImage
from skincli.data.storage import SetFolder, write_json
from skincli.data.usable import UsableImages, mention_oddities, sieve, usable_images
from skincli.imaging import Limits
from skincli.progress import Progress


def prepare(config: Config, progress: Progress) -> PrepareResult:
    """Check rows and images, split by lesion, decode every image; nothing when all is unchanged.

    Raises DataError when nothing was fetched or nothing can be used, or with `data.strict` when a
    row has to be left out; GateError when the stored split leaks or was altered.
    """
    folder = SetFolder.of(config.data)
    with open_source(config) as source, folder.locked(progress):
        usable = usable_images(config, folder, source, progress)
        images = _split_images(usable)
        split, dealt = current_split(
            folder.splits, config.data, images, usable.inspection, progress
        )
        if dealt:
            mention_oddities(usable, source, progress)
        packed, decoded = _pack(config, folder, source, usable, progress)
        prepared = join(config.data, source.record, usable, split, packed)
        _write_manifest(prepared)
    for warning in prepared.manifest.warnings:
        progress.warn(warning)
    return PrepareResult(prepared, split.folder, created=dealt or decoded)


def find_prepared(config: Config, source: OpenSource) -> PreparedSet | None:
    """The prepared set of an open source, None where `prepare` would have something to do."""
    folder = SetFolder.of(config.data)
    image_ids = [row.image_id for row in source.metadata.rows]
    inspection = known_inspection(folder.inspected, source.images, image_ids)
    if inspection is None:
        return None
    usable = sieve(source, inspection)
    split = matching_split(folder.splits, config.data, _split_images(usable))
    packed = open_pack(*_target(config, folder, usable))
    return join(config.data, source.record, usable, split, packed) if split and packed else None


def _split_images(usable: UsableImages) -> list[SplitImage]:
    return [
        SplitImage(
            image_id=row.image_id,
            lesion_id=row.lesion_id,
            dx=row.dx,
            sha256=usable.inspection.facts[row.image_id].sha256,
            official=row.part,
        )
        for row in usable.rows
    ]


def _pack(
    config: Config,
    folder: SetFolder,
    source: OpenSource,
    usable: UsableImages,
    progress: Progress,
) -> tuple[PackedImages, bool]:
    """The images decoded at the configured size and crop, and whether that was done just now."""
    target, images, shot = _target(config, folder, usable)
    packed = open_pack(target, images, shot)
    if packed is not None:
        return packed, False
    return make_pack(target, images, source.images, shot, progress), True


def _target(
    config: Config, folder: SetFolder, usable: UsableImages
) -> tuple[Path, list[Identity], Shot]:
    """Where the pack of these images belongs, what it holds, and how it is decoded."""
    shot = Shot(config.data.image_size, config.data.crop, Limits.of(config.image))
    facts = usable.inspection.facts
    images = [(row.image_id, facts[row.image_id].sha256) for row in usable.rows]
    return pack_folder(folder.prepared, images, shot), images, shot


def _write_manifest(prepared: PreparedSet) -> None:
    """Keep what the set is beside its images, for people and other programs."""
    write_json(prepared.folder / "manifest.json", asdict(prepared.manifest))

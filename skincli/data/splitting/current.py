"""The split of the images at hand: the newest version if it fits them, else one that extends it."""

from collections.abc import Sequence
from dataclasses import asdict, astuple
from pathlib import Path

from skincli.config.data import DataConfig
from skincli.data.fingerprints import digest_of
from skincli.data.inspecting.duplicates import find_duplicates
from skincli.data.inspecting.log import Inspection
from skincli.data.splitting.assign import assign, assign_official
from skincli.data.splitting.balance import advice
from skincli.data.splitting.proof import find_leaks
from skincli.data.splitting.rows import SplitImage, SplitRow, SplitVersion
from skincli.data.splitting.stored import read_versions, split_key, write_version
from skincli.errors import DataError, GateError
from skincli.progress import Progress


def current_split(
    splits: Path,
    data: DataConfig,
    images: Sequence[SplitImage],
    inspection: Inspection,
    progress: Progress,
) -> tuple[SplitVersion, bool]:
    """The version for exactly these images, and whether it was made just now.

    Raises GateError when the stored split leaks or was altered.
    """
    folder = splits / split_key(data)
    versions = read_versions(folder)
    for version in versions:
        require_sound(version)
    inputs = _digest(images)
    if versions and versions[-1].inputs == inputs:
        return versions[-1], False
    duplicates = find_duplicates({i.image_id: i.lesion_id for i in images}, inspection, progress)
    earlier = {row.image_id: row for version in versions for row in version.rows}
    number = versions[-1].version + 1 if versions else 1
    official = data.split == "official"
    rows = (
        assign_official(images, earlier, number)
        if official
        else assign(images, duplicates, earlier, data.parts, number)
    )
    version = SplitVersion(
        folder=folder,
        version=number,
        inputs=inputs,
        official=official,
        rows=tuple(rows),
        duplicates=tuple(duplicates),
        altered=False,
    )
    require_sound(version)
    _mention_changes(version, progress)
    if number == 1 and not official:
        told = advice({row.group: row.dx for row in rows}, data.parts)
        if told:
            progress.note(told)
    return write_version(folder, version, {} if official else asdict(data.parts)), True


def matching_split(
    splits: Path, data: DataConfig, images: Sequence[SplitImage]
) -> SplitVersion | None:
    """The newest stored version if it was made for exactly these images, else None."""
    versions = read_versions(splits / split_key(data))
    return versions[-1] if versions and versions[-1].inputs == _digest(images) else None


def stored_split(splits: Path, data: DataConfig) -> SplitVersion:
    """The newest stored version. Raises DataError when there is none."""
    versions = read_versions(splits / split_key(data))
    if not versions:
        raise DataError(
            f"there is no split in `{splits}` yet", f"run `skincli data prepare data={data.source}`"
        )
    return versions[-1]


def require_sound(split: SplitVersion) -> None:
    """Raises GateError when `split` was altered, or leaks and is not an official one."""
    leaks = [] if split.official else find_leaks(split)
    if leaks:
        more = f", and {len(leaks) - 1:,} more" if len(leaks) > 1 else ""
        raise GateError(
            f"the split in `{split.folder}` leaks: {leaks[0]}{more}",
            "`skincli data check` lists all; restore the folder from a copy",
        )
    if split.altered:
        raise GateError(
            f"the split in `{split.folder}` was altered after it was made",
            "restore the folder from a copy",
        )


def _digest(images: Sequence[SplitImage]) -> str:
    return digest_of([astuple(image) for image in images])


def _mention_changes(split: SplitVersion, progress: Progress) -> None:
    new = [row for row in split.rows if row.part == "quarantined" and row.since == split.version]
    if new:
        progress.warn(
            f"{len(new):,} image{' is' if len(new) == 1 else 's are'} quarantined, for tying two "
            f"parts together: {_names(new)}"
        )
    across = {(p.first_lesion, p.second_lesion) for p in split.duplicates}
    across = {pair for pair in across if pair[0] != pair[1]}
    if across and not split.official:
        progress.note(f"Lesions that share a picture and stay together: {len(across):,} pairs")


def _names(rows: Sequence[SplitRow]) -> str:
    return ", ".join(row.image_id for row in rows[:3]) + (", …" if len(rows) > 3 else "")

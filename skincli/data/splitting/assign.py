"""Images to parts: lesions tied by near-duplicates stay together, and nothing placed ever moves."""

from collections.abc import Iterable, Mapping, Sequence

from skincli.config.data import PartsConfig
from skincli.data.records import Assigned, DuplicatePair, Part
from skincli.data.splitting.rank import is_first_half, part_of
from skincli.data.splitting.rows import SplitImage, SplitRow


class _Groups:
    """Lesions tied together. A group that an earlier version placed keeps its name and part."""

    def __init__(self, earlier: Iterable[SplitRow]) -> None:
        self._group: dict[str, str] = {}
        self._members: dict[str, set[str]] = {}
        self._placed: dict[str, Part] = {}
        for row in earlier:
            self._group[row.lesion_id] = row.group
            self._members.setdefault(row.group, set()).add(row.lesion_id)
            if row.part != "quarantined":
                self._placed[row.group] = row.part

    def of(self, lesion_id: str) -> str:
        if lesion_id not in self._group:
            self._group[lesion_id] = lesion_id
            self._members[lesion_id] = {lesion_id}
        return self._group[lesion_id]

    def tie(self, first: str, second: str) -> bool:
        """Join the groups of two lesions; False when they are placed in different parts."""
        a, b = self.of(first), self.of(second)
        parts = {self._placed[group] for group in (a, b) if group in self._placed}
        if len(parts) == 2:
            return False
        if a != b:
            # The name of a placed group stays, so that its part and fold do.
            kept, gone = sorted((a, b), key=lambda group: (group not in self._placed, group))
            for lesion_id in self._members[gone]:
                self._group[lesion_id] = kept
            self._members[kept] |= self._members.pop(gone)
        return True

    def part(self, lesion_id: str, shares: PartsConfig) -> Part:
        group = self.of(lesion_id)
        return self._placed.get(group) or part_of(group, shares)


def assign(
    images: Sequence[SplitImage],
    duplicates: Iterable[DuplicatePair],
    earlier: Mapping[str, SplitRow],
    shares: PartsConfig,
    version: int,
) -> list[SplitRow]:
    """A row for each image, in their order. `earlier` are the rows of earlier versions by image id.

    A lesion that was placed before keeps its part, and its new images follow it. Where a pair of
    duplicates ties lesions of different parts, the newer image is quarantined, and so is an image
    that was placed in one part and is now said to show a lesion of another.
    """
    groups = _Groups(earlier.values())
    for image in images:
        groups.of(image.lesion_id)
    quarantined = {row.image_id for row in earlier.values() if row.part == "quarantined"}
    for pair in duplicates:
        if quarantined.isdisjoint((pair.first, pair.second)) and not groups.tie(
            pair.first_lesion, pair.second_lesion
        ):
            quarantined.add(pair.first if pair.second in earlier else pair.second)
    known = {row.sha256: row for row in earlier.values() if row.part != "quarantined"}
    for image in images:
        before = known.get(image.sha256)  # perhaps under another name, or as another lesion's
        if before and not groups.tie(before.lesion_id, image.lesion_id):
            quarantined.add(image.image_id)
    return [
        _row(
            image,
            groups.of(image.lesion_id),
            "quarantined"
            if image.image_id in quarantined
            else groups.part(image.lesion_id, shares),
            earlier,
            version,
        )
        for image in images
    ]


def assign_official(
    images: Sequence[SplitImage], earlier: Mapping[str, SplitRow], version: int
) -> list[SplitRow]:
    """The publisher's parts; half of the validation part becomes the calibration part."""
    return [
        _row(image, image.lesion_id, _official_part(image), earlier, version) for image in images
    ]


def _official_part(image: SplitImage) -> Part:
    assert image.official is not None
    if image.official == "validation" and is_first_half(image.image_id):
        return "calibration"
    return image.official


def _row(
    image: SplitImage, group: str, part: Assigned, earlier: Mapping[str, SplitRow], version: int
) -> SplitRow:
    before = earlier.get(image.image_id)
    return SplitRow(
        image_id=image.image_id,
        lesion_id=image.lesion_id,
        group=group,
        dx=image.dx,
        sha256=image.sha256,
        part=part,
        since=before.since if before else version,
    )

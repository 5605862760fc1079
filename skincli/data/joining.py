"""A split and a pack joined to a prepared set, with the manifest that says what it is."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Final

from skincli.config.data import DataConfig
from skincli.data.fingerprints import dataset_fingerprint, digest_of, split_fingerprint
from skincli.data.packing.packed import PackedImages
from skincli.data.raw import SourceRecord
from skincli.data.records import PARTS, Assigned, Manifest, PreparedSet, Sample
from skincli.data.splitting.proof import find_leaks
from skincli.data.splitting.rank import fold_of
from skincli.data.splitting.rows import SplitRow, SplitVersion
from skincli.data.usable import UsableImages
from skincli.taxonomy import DIAGNOSIS_CODES

# 44 % of the official test images: K. Abhishek, A. Jain, G. Hamarneh, "Investigating the Quality
# of DermaMNIST and Fitzpatrick17k Dermatological Image Datasets", Scientific Data 12 (2025).
_WARNINGS: Final = {
    "official": "DermaMNIST's official parts: 44 % of the test images share a lesion with training",
    "corrected": "parts as DermaMNIST-C's authors dealt them: without lesion ids no one can check",
    "extended": "parts as DermaMNIST-E's authors dealt them: without lesion ids no one can check",
}


def join(
    data: DataConfig,
    record: SourceRecord,
    usable: UsableImages,
    split: SplitVersion,
    packed: PackedImages,
) -> PreparedSet:
    """The prepared set. Rows of images, samples and split are in the order of the image ids."""
    samples = tuple(
        Sample(
            image_id=row.image_id,
            lesion_id=row.lesion_id,
            dx=row.dx,
            part=_part(dealt, data),
            sha256=dealt.sha256,
            dx_type=row.dx_type,
            age=row.age,
            sex=row.sex,
            localization=row.localization,
            dataset=row.dataset,
        )
        for row, dealt in zip(usable.rows, split.rows, strict=True)
    )
    manifest = _manifest(data, record, usable, split, samples)
    return PreparedSet(
        folder=packed.path.parent,
        images=packed,
        samples=samples,
        duplicates=split.duplicates,
        rejected=usable.rejected,
        manifest=manifest,
    )


def count_parts(pairs: Sequence[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Images per part and diagnosis, from the (part, dx) of every image."""
    counts = Counter(pairs)
    return {part: {dx: counts[part, dx] for dx in DIAGNOSIS_CODES} for part in PARTS}


def _part(row: SplitRow, data: DataConfig) -> Assigned:
    """The stored part; with folds, training and validation are dealt anew between themselves."""
    if data.folds == 0 or row.part not in ("train", "validation"):
        return row.part
    return "validation" if fold_of(row.group, data.folds, data.parts.seed) == data.fold else "train"


def _manifest(
    data: DataConfig,
    record: SourceRecord,
    usable: UsableImages,
    split: SplitVersion,
    samples: Sequence[Sample],
) -> Manifest:
    used = [sample for sample in samples if sample.part != "quarantined"]
    dealing = {**asdict(data.parts), "split": data.split, "folds": data.folds, "fold": data.fold}
    return Manifest(
        name=data.set_name,
        source=record.source,
        synthetic=record.synthetic,
        verified=record.verified,
        licence=record.licence,
        origin=record.origin,
        image_size=data.image_size,
        crop=data.crop,
        split=data.split,
        split_version=split.version,
        folds=data.folds,
        fold=data.fold,
        n_images=len(used),
        n_lesions=len({sample.lesion_id for sample in used}),
        n_rejected=len(usable.rejected),
        n_quarantined=len(samples) - len(used),
        counts=count_parts([(sample.part, sample.dx) for sample in used]),
        dataset_fingerprint=dataset_fingerprint(used),
        split_fingerprint=split_fingerprint(used),
        test_fingerprint=split_fingerprint(s for s in used if s.part == "test"),
        settings_fingerprint=digest_of([dealing, data.image_size, data.crop]),
        warnings=tuple(_warnings(data, split)),
    )


def _warnings(data: DataConfig, split: SplitVersion) -> Iterator[str]:
    if split.official:
        yield _WARNINGS[data.dermamnist.variant]
        leaks = len(find_leaks(split))
        if leaks:
            lie = "picture lies" if leaks == 1 else "pictures lie"
            yield f"{leaks:,} {lie} in more than one official part"

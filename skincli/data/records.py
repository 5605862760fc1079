"""What the data room hands out: samples, the manifest and the prepared set."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from skincli.config.data import Crop, SourceName, SplitKind
from skincli.data.packing.packed import PackedImages
from skincli.taxonomy import Task, label_of

Part = Literal["train", "validation", "calibration", "test"]
# A quarantined image would tie lesions of two parts together, and belongs to neither.
Assigned = Literal[Part, "quarantined"]

# The ISIC 2018 test set continues HAM10000's lesion ids.
_SCOPES: Final[dict[SourceName, str]] = {
    "ham10000": "ham10000", "isic2018": "ham10000", "isic": "isic",
}  # fmt: skip
PARTS: Final[tuple[Part, ...]] = get_args(Part)


@dataclass(frozen=True, slots=True)
class Sample:
    """One image: what the metadata say of it, its part, and the SHA-256 of its file.

    `age` is in years, None where unknown. Text is empty where its column is absent.
    """

    image_id: str
    lesion_id: str
    dx: str
    part: Assigned
    sha256: str
    dx_type: str
    age: float | None
    sex: str
    localization: str
    dataset: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is left out: its line in the CSV (0 where there is none), and why."""

    line: int
    image_id: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two images that show the same picture; `first` sorts before `second`.

    `kind` says how alike: the same file, or nearly the same pixels, turned or mirrored perhaps;
    `difference` is the mean absolute difference of their grey thumbnails in grey levels (0 to 255).
    """

    first: str
    second: str
    first_lesion: str
    second_lesion: str
    kind: Literal["file", "near"]
    difference: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a prepared set is and where it comes from. Fingerprints are SHA-256 in hex.

    `counts` gives the images per part and diagnosis. `dataset_fingerprint` stands for the images
    and their labels, `split_fingerprint` for these and their parts, `test_fingerprint` for the
    test part alone. None of them depends on `image_size` or `crop`; `settings_fingerprint` stands
    for these two and the settings of the split. `warnings` say why figures from this set are not
    what they seem; they travel with every model that is trained on it.
    """

    name: str
    source: SourceName
    synthetic: bool
    verified: bool
    licence: str
    origin: str
    image_size: int
    crop: Crop
    split: SplitKind
    split_version: int
    folds: int
    fold: int
    n_images: int
    n_lesions: int
    n_rejected: int
    n_quarantined: int
    counts: dict[str, dict[str, int]]
    dataset_fingerprint: str
    split_fingerprint: str
    test_fingerprint: str
    settings_fingerprint: str
    warnings: tuple[str, ...]

    def lesion_key(self, lesion_id: str) -> str:
        """The lesion's name across sets: published ids mean the same wherever they turn up."""
        scope = _SCOPES.get(self.source, self.name)
        return f"{scope}:{lesion_id}"


@dataclass(frozen=True, slots=True, eq=False)
class PreparedSet:
    """Packed images `[N, size, size, 3]` and their samples in row order.

    `duplicates` are the pairs of images that were found to show the same picture, `rejected` what
    was left out.
    """

    folder: Path
    images: PackedImages
    samples: tuple[Sample, ...]
    duplicates: tuple[DuplicatePair, ...]
    rejected: tuple[Rejected, ...]
    manifest: Manifest

    def rows(self, part: Part) -> NDArray[np.intp]:
        """The rows of `images` that belong to a part, ascending."""
        return np.flatnonzero([sample.part == part for sample in self.samples])

    def labels(self, task: Task) -> NDArray[np.int64]:
        """The output index of every row's diagnosis under `task`, int64 `[N]`."""
        return np.array([label_of(sample.dx, task) for sample in self.samples], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class PrepareResult:
    """`created` is False when nothing had changed and no work was done."""

    prepared: PreparedSet
    split: Path
    created: bool


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What `check` looked at and found. `leaks` are empty for a sound split.

    `warnings` are the leaks of an official split, which is kept as it was published. `packs` counts
    the packs whose chunks were verified, `files` the raw files whose SHA-256 was.
    """

    folder: Path
    version: int
    n_images: int
    n_lesions: int
    n_groups: int
    n_quarantined: int
    n_duplicates: int
    n_duplicates_across: int
    leaks: tuple[str, ...]
    warnings: tuple[str, ...]
    packs: int
    files: int


@dataclass(frozen=True, slots=True)
class FetchResult:
    """Where the raw data lie. `n_images` counts metadata rows, or the images of an npz; `bytes` is
    the files' total size.

    `created` is False when they were there already. `included` are data sets fetched along.
    """

    folder: Path
    source: SourceName
    n_images: int
    n_files: int
    bytes: int
    verified: bool
    created: bool
    included: tuple["FetchResult", ...] = ()


@dataclass(frozen=True, slots=True)
class Confounding:
    """How far the source of an image gives its diagnosis away, and the strongest case of it.

    `cramers_v` is bias-corrected, from 0 (not at all) to 1. `n_images` of the images from
    `dataset` show `dx`, of `n_images_of_dataset` in all.
    """

    cramers_v: float
    dataset: str
    dx: str
    n_images: int
    n_images_of_dataset: int


@dataclass(frozen=True, slots=True)
class DataInfo:
    """What a data set holds. `by_*` and `parts` count images, `lesions_by_dx` counts lesions.

    `images_per_lesion` counts the lesions that have 1, 2, 3, ... images. `missing` counts the
    empty or unknown values of each optional column. `dx_by_dataset` and `dx_type_by_dx` count
    images by source and diagnosis, and by diagnosis and confirmation; `confounding` is None where
    there is one source. `rejected` counts the rows that are left out, by reason. `duplicates`
    counts the pairs within and across lesions, None until they were looked for. `cautions` are
    sentences. `prepared` is None until the set was prepared at the configured size and crop.
    """

    name: str
    source: SourceName
    origin: str
    licence: str
    synthetic: bool
    verified: bool
    raw_folder: Path
    n_images: int
    n_lesions: int
    images_by_dx: dict[str, int]
    lesions_by_dx: dict[str, int]
    images_per_lesion: dict[int, int]
    parts: dict[str, dict[str, int]]
    by_sex: dict[str, int]
    by_age: dict[str, int]
    by_localization: dict[str, int]
    by_dx_type: dict[str, int]
    by_dataset: dict[str, int]
    missing: dict[str, int]
    dx_by_dataset: dict[str, dict[str, int]]
    dx_type_by_dx: dict[str, dict[str, int]]
    confounding: Confounding | None
    rejected: dict[str, int]
    duplicates: dict[str, int] | None
    cautions: tuple[str, ...]
    prepared_folder: Path | None
    prepared: Manifest | None

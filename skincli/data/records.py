"""What the data room hands out: samples, the manifest and the prepared set."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from skincli.config.data import Crop, SourceName
from skincli.imaging import Pixels
from skincli.taxonomy import Task, label_of

Part = Literal["train", "validation", "calibration", "test"]

PARTS: Final[tuple[Part, ...]] = get_args(Part)


@dataclass(frozen=True, slots=True)
class Sample:
    """One image: what the metadata say of it, its part, and the SHA-256 of its file.

    `age` is in years, None where unknown. Text is empty where its column is absent.
    """

    image_id: str
    lesion_id: str
    dx: str
    part: Part
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

    `kind` says how alike: the same file, the same pixels, or nearly the same pixels;
    `difference` is the mean absolute difference of their grey thumbnails in grey levels (0 to 255).
    """

    first: str
    second: str
    first_lesion: str
    second_lesion: str
    kind: Literal["file", "pixels", "near"]
    difference: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a prepared set is and where it comes from. Fingerprints are SHA-256 in hex.

    `counts` gives the images per part and diagnosis. `dataset_fingerprint` stands for the images
    and their labels, `split_fingerprint` for these and their parts, `test_fingerprint` for the
    test part alone. None of them depends on `image_size` or `crop`; `settings_fingerprint` stands
    for these two and the shares and seed of the split.
    """

    name: str
    source: SourceName
    synthetic: bool
    verified: bool
    licence: str
    origin: str
    image_size: int
    crop: Crop
    n_images: int
    n_lesions: int
    counts: dict[str, dict[str, int]]
    dataset_fingerprint: str
    split_fingerprint: str
    test_fingerprint: str
    settings_fingerprint: str
    created: str

    def lesion_key(self, lesion_id: str) -> str:
        """The lesion's name across sets: HAM10000's ids mean the same at every resolution."""
        scope = self.source if self.source == "ham10000" else self.name
        return f"{scope}:{lesion_id}"


@dataclass(frozen=True, slots=True, eq=False)
class PreparedSet:
    """Decoded images, memory-mapped uint8 `[N, size, size, 3]`, and their samples in row order."""

    folder: Path
    images: Pixels
    samples: tuple[Sample, ...]
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
    created: bool


@dataclass(frozen=True, slots=True)
class FetchResult:
    """Where the raw data lie. `n_images` counts metadata rows, `bytes` the files' total size.

    `created` is False when they were there already.
    """

    folder: Path
    source: SourceName
    n_images: int
    n_files: int
    bytes: int
    verified: bool
    created: bool


@dataclass(frozen=True, slots=True)
class DataInfo:
    """What a data set holds. `by_*` and `parts` count images, `lesions_by_dx` counts lesions.

    `missing` counts the empty or unknown values of each optional column. `prepared` is None until
    the set was prepared at the configured size and crop.
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
    parts: dict[str, dict[str, int]]
    by_sex: dict[str, int]
    by_age: dict[str, int]
    by_localization: dict[str, int]
    by_dx_type: dict[str, int]
    by_dataset: dict[str, int]
    missing: dict[str, int]
    prepared_folder: Path | None
    prepared: Manifest | None

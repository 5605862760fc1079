"""A drawn data set in HAM10000's published layout, for trying everything out.

The same seed and count give the same bytes: every lesion has a random generator of its own, and
the archives carry a fixed date.
"""

import csv
import os
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from skincli.config.data import SyntheticConfig
from skincli.data.raw import ARCHIVES, METADATA
from skincli.data.synthetic.drawing import draw_lesion, photograph
from skincli.progress import Progress

# Lesions per diagnosis in HAM10000; here none falls below the floor, so that a small set can be
# learned and split.
_SHARES: Final = {
    "nv": 5403, "bkl": 727, "mel": 614, "bcc": 327, "akiec": 228, "vasc": 98, "df": 73,
}  # fmt: skip
_FLOOR: Final = 0.06
_VIEWS: Final = (0.72, 0.22, 0.06)
_AGES: Final = {
    "nv": 45, "bkl": 64, "mel": 61, "bcc": 67, "akiec": 67, "vasc": 51, "df": 51,
}  # fmt: skip
_SITES: Final = (
    "back", "lower extremity", "trunk", "upper extremity", "abdomen", "face", "chest", "unknown",
)  # fmt: skip
_HEADER: Final = (
    "lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization", "dataset",
)  # fmt: skip
_BATCH: Final = 64


@dataclass(frozen=True, slots=True)
class _Drawn:
    """One lesion: its metadata cells after the image id, and the JPEG bytes of its views."""

    lesion_id: str
    cells: tuple[str, ...]
    views: tuple[bytes, ...]


def draw_set(folder: Path, settings: SyntheticConfig, progress: Progress) -> None:
    """Write the two archives and the metadata CSV of `settings.lesions` drawn lesions."""
    diagnoses = _plan(settings)
    rows: list[tuple[str, ...]] = []
    middle = len(diagnoses) // 2
    halves = (range(middle), range(middle, len(diagnoses)))
    with progress.step("Drawing lesions", len(diagnoses)) as step:
        for name, half in zip(ARCHIVES, halves, strict=True):
            with zipfile.ZipFile(folder / name, "w") as archive:
                for lesion in _draw_all(half, diagnoses, settings.seed):
                    for view in lesion.views:
                        image_id = f"SYN_{len(rows) + 1:07d}"
                        archive.writestr(_entry(image_id), view)
                        rows.append((lesion.lesion_id, image_id, *lesion.cells))
                    step.advance()
    with (folder / METADATA).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows([_HEADER, *rows])


def lesion_counts(total: int) -> dict[str, int]:
    """Lesions per diagnosis: HAM10000's shares with a floor; nevi give way."""
    whole = sum(_SHARES.values())
    counts = {dx: round(max(share / whole, _FLOOR) * total) for dx, share in _SHARES.items()}
    counts["nv"] += total - sum(counts.values())
    return counts


def _plan(settings: SyntheticConfig) -> list[str]:
    """The diagnosis of every lesion, in random order."""
    counts = lesion_counts(settings.lesions)
    diagnoses = [dx for dx, count in counts.items() for _ in range(count)]
    order = np.random.default_rng([settings.seed]).permutation(len(diagnoses))
    return [diagnoses[index] for index in order]


def _draw_all(indices: Sequence[int], diagnoses: Sequence[str], seed: int) -> Iterator[_Drawn]:
    """Draw lesions in threads, in order, a batch at a time so that memory stays flat."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for start in range(0, len(indices), _BATCH):
            batch = indices[start : start + _BATCH]
            yield from pool.map(lambda index: _draw_one(index, diagnoses[index], seed), batch)


def _draw_one(index: int, dx: str, seed: int) -> _Drawn:
    rng = np.random.default_rng([seed, index])
    canvas = draw_lesion(dx, rng)
    count = 1 + int(rng.choice(len(_VIEWS), p=_VIEWS))
    views = tuple(photograph(canvas, rng) for _ in range(count))
    return _Drawn(f"SYN_L_{index + 1:06d}", _patient(dx, rng), views)


def _patient(dx: str, rng: np.random.Generator) -> tuple[str, ...]:
    """The cells dx, dx_type, age, sex, localization and dataset; a few are unknown."""
    age = 5 * round(float(np.clip(rng.normal(_AGES[dx], 15), 5, 85)) / 5)
    known = rng.random() > 0.02
    dx_type = rng.choice(["histo", "consensus", "follow_up"] if dx == "nv" else ["histo"])
    sex = rng.choice(["male", "female", "unknown"], p=[0.54, 0.45, 0.01])
    return (
        dx, str(dx_type), f"{age:.1f}" if known else "", str(sex),
        str(rng.choice(_SITES)), "synthetic",
    )  # fmt: skip


def _entry(image_id: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(f"{image_id}.jpg", date_time=(2018, 1, 1, 0, 0, 0))

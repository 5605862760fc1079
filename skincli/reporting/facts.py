"""What a report tells, before it is words: the same in `report.json`."""

from dataclasses import dataclass
from typing import Any

from skincli.evaluation.compare import Difference
from skincli.evaluation.resampling import Interval
from skincli.promotion.gate import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What was trained, on what data, by which code.

    `run_id` is that of the training, `data_version` what DVC calls the data if it keeps them;
    `settings` are those that shape a model, by their keys, where they are not the defaults.
    """

    run_id: str
    run_name: str
    created: str
    digest: str
    backbone: str
    precision: str
    image_size: int
    seed: int | None
    data_name: str
    data_version: str | None
    synthetic: bool
    dataset_fingerprint: str
    split_fingerprint: str
    data_warnings: tuple[str, ...]
    git_commit: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the model stands, and what follows from it under `promotion.*`.

    `champion` is "version 3", or None where there is none. `alone` says why the model is not held
    against one, and is empty where it is. `command` is what a person may type to go on, or empty.
    """

    verdict: Verdict
    champion: str | None
    alone: str
    follows: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of the model and of the champion, and the first minus the second.

    None where it is not defined, or there is no champion to compare with.
    """

    model: Interval | None
    champion: Interval | None
    difference: Difference | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roc:
    """The sensitivities for malignancy that the rates of `false_alarms` allow; None for a champion
    that the model is not held against, and for images that define none."""

    false_alarms: tuple[float, ...]
    model: tuple[float, ...] | None
    champion: tuple[float, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """How sure the model is and how often it is right, in bins of images by rising confidence."""

    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    n_images: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was found on the test part whose fingerprint begins with `test_split`.

    `figures` by their flat names, `confusion` counts images, a row for each true class and a
    column for each diagnosis. `subgroups` are as `evaluation.json` holds them.
    """

    test_split: str
    n_images: int
    n_lesions: int
    classes: tuple[str, ...]
    figures: dict[str, Figure]
    confusion: tuple[tuple[int, ...], ...]
    roc: Roc
    reliability: Bins
    subgroups: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of it. `epochs` are the rows of the training's `metrics.csv`, with None for what is no
    number; none where the store does not have them."""

    trained: Trained
    standing: Standing
    measured: Measured
    epochs: tuple[dict[str, float | None], ...]

"""How a model does on parts of the people and of the images, group by group."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from skincli.config.operating import EvaluateConfig
from skincli.data import Sample
from skincli.evaluation.diagnosing import diagnoses
from skincli.evaluation.figures import together
from skincli.evaluation.predictions import Predictions
from skincli.evaluation.ranking import Measure, Values, Weights
from skincli.evaluation.resampling import Interval, intervals, point_figures, resampled
from skincli.evaluation.suspecting import malignancy
from skincli.progress import Progress, Silent

FIGURES: Final = (
    "balanced_accuracy", "malignant_auroc", "malignant_sensitivity", "malignant_specificity",
)  # fmt: skip
_BAND_YEARS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup:
    """The images of one `kind` and `name` (sex: female), and those of `FIGURES` that they define.

    `small` marks a group of fewer lesions than `evaluate.subgroup_lesions`.
    """

    kind: str
    name: str
    n_images: int
    n_lesions: int
    n_malignant: int
    small: bool
    figures: dict[str, Interval]


def measure_subgroups(
    predictions: Predictions, settings: EvaluateConfig, progress: Progress
) -> tuple[Subgroup, ...]:
    """Every group of every kind by which the metadata divide the images, "unknown" being one."""
    found = []
    with progress.step("Resampling subgroups", len(_KINDS)) as step:
        for kind, value_of in _KINDS.items():
            values = np.array([value_of(sample) or "unknown" for sample in predictions.samples])
            names = np.unique(values).tolist()
            for name in names if len(names) > 1 else ():
                group = predictions.of(np.flatnonzero(values == name))
                found.append(_subgroup(kind, name, group, settings))
            step.advance()
    return tuple(found)


def _subgroup(kind: str, name: str, group: Predictions, settings: EvaluateConfig) -> Subgroup:
    measure = _few(together(diagnoses(group), malignancy(group)))
    drawn = resampled(measure, group.lesions, settings.resamples, settings.seed, Silent())
    n_lesions = len(set(group.lesions))
    return Subgroup(
        kind=kind,
        name=name,
        n_images=len(group.labels),
        n_lesions=n_lesions,
        n_malignant=int(group.is_malignant.sum()),
        small=n_lesions < settings.subgroup_lesions,
        figures=intervals(point_figures(measure, len(group.labels)), drawn),
    )


def _few(measure: Measure) -> Measure:
    def chosen(weights: Weights) -> dict[str, Values]:
        found = measure(weights)
        return {name: found[name] for name in FIGURES}

    return chosen


def _age_band(sample: Sample) -> str:
    if sample.age is None:
        return ""
    start = int(sample.age // _BAND_YEARS) * _BAND_YEARS
    return f"{start} to {start + _BAND_YEARS - 1}"


_KINDS: Final[dict[str, Callable[[Sample], str]]] = {
    "sex": lambda sample: sample.sex,
    "age": _age_band,
    "body site": lambda sample: sample.localization,
    "confirmed by": lambda sample: sample.dx_type,
    "source": lambda sample: sample.dataset,
}

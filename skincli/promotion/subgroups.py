"""Whether a model fails a part of the people: malignant lesions caught, group by group."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from skincli.data import Sample
from skincli.evaluation.predictions import Predictions

_BAND_YEARS: Final = 20


@dataclass(frozen=True, slots=True)
class Subgroup:
    """`n` malignant images of one group, and the share of them called malignant."""

    name: str
    n: int
    sensitivity: float


def malignant_subgroups(predictions: Predictions) -> tuple[Subgroup, ...]:
    """The groups of sex, age band and body site that hold a malignant lesion."""
    return tuple(
        group for kind, value_of in _KINDS.items() for group in _groups(kind, value_of, predictions)
    )


def _groups(
    kind: str, value_of: Callable[[Sample], str], predictions: Predictions
) -> Iterator[Subgroup]:
    values = np.array([value_of(sample) for sample in predictions.samples])
    for value in np.unique(values[predictions.is_malignant]):
        chosen = predictions.is_malignant & (values == value)
        caught = float(predictions.flagged[chosen].mean())
        yield Subgroup(f"{kind} {value or 'unknown'}", int(chosen.sum()), caught)


def _age_band(sample: Sample) -> str:
    if sample.age is None:
        return ""
    start = int(sample.age) // _BAND_YEARS * _BAND_YEARS
    return f"{start} to {start + _BAND_YEARS - 1}"


_KINDS: Final[dict[str, Callable[[Sample], str]]] = {
    "sex": lambda sample: sample.sex,
    "age": _age_band,
    "site": lambda sample: sample.localization,
}

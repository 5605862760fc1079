"""Two models on the same images: by how much their figures differ, and how surely."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from skincli.errors import ModelError
from skincli.evaluation.figures import all_figures
from skincli.evaluation.predictions import Predictions
from skincli.evaluation.ranking import Values
from skincli.evaluation.resampling import percentiles, point_figures, resampled
from skincli.progress import Progress

_ONE_SIDED: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A figure of the first model minus that of the second, on the same images.

    `low` to `high` is the 95 % interval; with 95 % confidence the difference is `one_sided_low` or
    more. `p_value` is two-sided.
    """

    value: float
    low: float
    high: float
    one_sided_low: float
    p_value: float


def paired_differences(
    a: Predictions, b: Predictions, *, resamples: int, seed: int, progress: Progress
) -> dict[str, Difference]:
    """`a` minus `b` for every figure that both define, under its flat name.

    Both are measured on the same resamples of lesions: what is hard in one is hard for both, and
    does not count. Raises ModelError when the two did not see the same images or name other
    classes.
    """
    b = aligned(a, b)
    first, second = all_figures(a), all_figures(b)

    def measure(weights: Values) -> dict[str, Values]:
        theirs = second(weights)
        return {name: value - theirs[name] for name, value in first(weights).items()}

    point = point_figures(measure, len(a.labels))
    drawn = resampled(measure, a.lesions, resamples, seed, progress, "Comparing on resamples")
    return {
        name: _difference(value, drawn[name])
        for name, value in point.items()
        if value is not None and not np.isnan(drawn[name]).all()
    }


def _difference(value: float, drawn: Values) -> Difference:
    low, high = percentiles(drawn)
    return Difference(
        value=value,
        low=low,
        high=high,
        one_sided_low=float(np.nanpercentile(drawn, _ONE_SIDED)),
        p_value=_p_value(drawn[~np.isnan(drawn)]),
    )


def _p_value(drawn: Values) -> float:
    """The level at which the percentile interval just leaves out 0 (Efron & Tibshirani 1993,
    chapter 15); never 0, as the plain figure counts as one more draw (Davison & Hinkley 1997,
    Bootstrap Methods and their Application, section 4.2).
    """
    tails = min((drawn <= 0).sum(), (drawn >= 0).sum())
    return float(min(1.0, 2 * (tails + 1) / (len(drawn) + 1)))


def aligned(a: Predictions, b: Predictions) -> Predictions:
    """`b` in the order of `a`'s images. Raises ModelError where they are not the same."""
    if a.classes != b.classes:
        raise ModelError("the two models were trained for different tasks")
    rows = {sample.image_id: row for row, sample in enumerate(b.samples)}
    ours = {sample.image_id for sample in a.samples}
    if ours != set(rows):
        raise ModelError(
            f"the two models were not measured on the same images: {len(ours - set(rows)):,} of "
            f"the first's are not among the second's, {len(set(rows) - ours):,} the other way",
            "evaluate both on the same data",
        )
    return b.of(np.array([rows[sample.image_id] for sample in a.samples], dtype=np.intp))

"""How far figures would move on other lesions: the bootstrap over lesions, and its intervals.

Images of one lesion are not independent, lesions are; so lesions are drawn with replacement and
each brings all of its images (the cluster bootstrap: Field & Welsh 2007,
doi:10.1111/j.1467-9868.2007.00593.x). Intervals are percentiles of the resampled figures (Efron &
Tibshirani 1993, An Introduction to the Bootstrap, chapter 13).
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from skincli.evaluation.ranking import Figures, Measure, Values, Weights
from skincli.progress import Progress

_ENDS: Final = (2.5, 97.5)
# Weights of so many images at once stay in a core's cache.
_CELLS: Final = 2**18


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95 % interval; `undefined` is the share of resamples that define none."""

    value: float
    low: float
    high: float
    undefined: float


def point_figures(measure: Measure, n_images: int) -> dict[str, float | None]:
    """The plain figures: every image counts once. None where they are not defined."""
    found = measure(np.ones((1, n_images)))
    return {name: None if np.isnan(value[0]) else float(value[0]) for name, value in found.items()}


def resampled(
    measure: Measure,
    lesions: Sequence[str],
    resamples: int,
    seed: int,
    progress: Progress,
    title: str = "Resampling lesions",
) -> Figures:
    """The figures `[resamples]` of N images on lesions drawn with replacement.

    The same `lesions [N]`, number and seed draw the same resamples, whatever is measured.
    """
    units = np.unique(np.asarray(lesions), return_inverse=True)[1]
    size = max(1, _CELLS // max(1, len(units)))
    starts = range(0, resamples, size)
    parts: list[Figures] = []
    cores = len(os.sched_getaffinity(0))
    # Numpy lets go of the interpreter in the long loops, so threads are enough. Matrix products
    # with threads of their own would fight with these for the cores, and take thrice as long.
    with (
        threadpool_limits(1, user_api="blas"),
        ThreadPoolExecutor(cores) as pool,
        progress.step(title, resamples) as step,
    ):

        def measured(start: int) -> Figures:
            count = min(size, resamples - start)
            return measure(_draw(units, count, np.random.default_rng([seed, start])))

        for start, part in zip(starts, pool.map(measured, starts), strict=True):
            parts.append(part)
            step.advance(min(size, resamples - start))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def intervals(point: dict[str, float | None], drawn: Figures) -> dict[str, Interval]:
    """The interval of every figure that the images define, under its name."""
    return {
        name: _interval(value, drawn[name])
        for name, value in point.items()
        if value is not None and not np.isnan(drawn[name]).all()
    }


def percentiles(values: Values) -> tuple[float, float]:
    """The central 95 % of the defined ones of `values [B]`."""
    low, high = np.nanpercentile(values, _ENDS)
    return float(low), float(high)


def _interval(value: float, drawn: Values) -> Interval:
    return Interval(value, *percentiles(drawn), undefined=float(np.isnan(drawn).mean()))


def _draw(units: NDArray[np.intp], count: int, rng: np.random.Generator) -> Weights:
    """How often each image `[count, N]` is in each resample; `units [N]` are its lesions."""
    n_units = units.max(initial=-1) + 1
    picks = rng.integers(n_units, size=(count, n_units)) + n_units * np.arange(count)[:, None]
    times = np.bincount(picks.ravel(), minlength=count * n_units).reshape(count, n_units)
    return times.astype(np.float64)[:, units]

"""Figures of a ranking by score, for many weightings of the images at once.

A weighting says how often each image counts; a resample is one, a row of ones gives the plain
figure. The images are sorted once, then cumulative sums answer for every weighting. Images of one
score are passed together, so that their order never matters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skincli.evaluation.calibration import Flags, Floats

Weights = NDArray[np.float64]
Values = NDArray[np.float64]
Figures = Mapping[str, Values]
Measure = Callable[[Weights], Figures]

# A share of a count, such as 0.05 of 20, may come out a rounding error off a whole number.
_ROUNDING = 1e-9


def share(part: Values, whole: Values) -> Values:
    """`part / whole`, NaN where the whole is nothing."""
    result: Values = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return result


class Ranking:
    """N images in the order of their scores `[N]`, highest first, some of them `positive [N]`."""

    def __init__(self, positive: Flags, scores: Floats) -> None:
        order = np.argsort(-scores, kind="stable")
        begins = np.append(True, np.diff(scores[order]) != 0)[: len(order)]
        firsts = np.flatnonzero(begins)
        ranks = np.flatnonzero(positive[order])
        ties, self._starts = np.unique((np.cumsum(begins) - 1)[ranks], return_index=True)
        self._order = order
        self._positives = order[ranks]
        # How many images stand above a tie that holds a positive one, and down to its end.
        self._above = firsts[ties]
        self._down_to = np.append(firsts[1:], len(order))[ties]

    def under(self, weights: Weights) -> "Ranked":
        """What is met from the top down, under each of B weightings `[B, N]`."""
        passed = np.zeros((len(weights), weights.shape[1] + 1))
        np.cumsum(weights[:, self._order], axis=1, out=passed[:, 1:])
        hits = np.add.reduceat(weights[:, self._positives], self._starts, axis=1)
        found = np.cumsum(hits, axis=1)
        positives = hits.sum(axis=1)
        return Ranked(
            hits=hits,
            found=found,
            alarms_above=passed[:, self._above] - (found - hits),
            alarms=passed[:, self._down_to] - found,
            positives=positives,
            negatives=passed[:, -1] - positives,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranked:
    """Weights met at each of K ties that hold a positive image, all `[B, K]` but the totals `[B]`.

    `hits` are the tie's positives, `found` all positives down to its end; `alarms_above` and
    `alarms` the negatives down to its begin and its end.
    """

    hits: Values
    found: Values
    alarms_above: Values
    alarms: Values
    positives: Values
    negatives: Values

    def auroc(self) -> Values:
        """The share `[B]` of pairs in which the positive image scores higher, ties counting half.

        Hanley & McNeil 1982 (doi:10.1148/radiology.143.1.7063747).
        """
        below = self.negatives[:, None] - (self.alarms_above + self.alarms) / 2
        return share((self.hits * below).sum(axis=1), self.positives * self.negatives)

    def average_precision(self) -> Values:
        """The step-wise area `[B]` under the precision-recall curve, without interpolation."""
        passed = self.found + self.alarms
        precision = np.divide(self.found, passed, out=np.zeros(passed.shape), where=passed > 0)
        return share((self.hits * precision).sum(axis=1), self.positives)

    def sensitivity_at(self, specificity: float) -> Values:
        """The highest sensitivity `[B]` of a threshold that keeps that specificity."""
        allowed = (1 - specificity) * self.negatives[:, None] + _ROUNDING
        # Zero ties may be allowed: then nothing is found.
        passed = (self.alarms <= allowed).sum(axis=1)
        found = np.concatenate([np.zeros((len(self.found), 1)), self.found], axis=1)
        best = np.take_along_axis(found, passed[:, None], axis=1)[:, 0]
        return share(np.where(self.negatives > 0, best, np.nan), self.positives)

    def specificity_at(self, sensitivity: float) -> Values:
        """The highest specificity `[B]` of a threshold that keeps that sensitivity."""
        wanted = sensitivity * self.positives[:, None] - _ROUNDING
        first = (self.found < wanted).sum(axis=1)
        # Without a positive image there is no such threshold.
        alarms = np.concatenate([self.alarms, np.full((len(self.alarms), 1), np.nan)], axis=1)
        least = np.take_along_axis(alarms, first[:, None], axis=1)[:, 0]
        return share(np.where(self.positives > 0, self.negatives - least, np.nan), self.negatives)

"""Rankings under weights, against scikit-learn and against the definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from skincli.evaluation.ranking import Ranking

CLOSE = {"rel": 0, "abs": 1e-9, "nan_ok": True}


def draw(seed, n, levels, constant=False):
    """Labels, scores (tied where `levels` are few) and counts, some of them 0."""
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < rng.uniform(0, 1)
    scores = np.round(rng.random(n) * levels) / levels if levels else rng.random(n)
    if constant:
        scores[:] = 0.5
    return positive, scores.astype(np.float32), rng.poisson(1, n).astype(np.float64)


def expanded(positive, scores, weights):
    """Each image as often as it counts."""
    rows = np.repeat(np.arange(len(scores)), weights.astype(int))
    return positive[rows], scores[rows]


def best(wanted, kept, at_least):
    """The highest of one rate over all thresholds that keep the other."""
    return max(one for one, other in zip(wanted, kept, strict=True) if other >= at_least - 1e-12)


def rates(positive, scores):
    """Sensitivity and specificity of every threshold, and of one above all scores."""
    cuts = [*np.unique(scores), np.inf]
    sensitivity = [(scores[positive] >= cut).mean() for cut in cuts]
    return sensitivity, [(scores[~positive] < cut).mean() for cut in cuts]


CASES = {
    "seed": st.integers(0, 2**32),
    "n": st.integers(1, 60),
    "levels": st.sampled_from([0, 1, 3]),
    "constant": st.booleans(),
}


@settings(deadline=None, max_examples=80)
@given(**CASES)
def test_weighted_figures_are_those_of_images_repeated(seed, n, levels, constant):
    positive, scores, weights = draw(seed, n, levels, constant)
    many = np.stack([np.ones(n), weights])
    ranked = Ranking(positive, scores).under(many)
    for row, counts in enumerate(many):
        truth, score = expanded(positive, scores, counts)
        both = truth.any() and not truth.all()
        area = roc_auc_score(truth, score) if both else np.nan
        precision = average_precision_score(truth, score) if truth.any() else np.nan
        assert ranked.auroc()[row] == pytest.approx(area, **CLOSE)
        assert ranked.average_precision()[row] == pytest.approx(precision, **CLOSE)


@settings(deadline=None, max_examples=80)
@given(**CASES, kept=st.sampled_from([0.5, 0.9, 0.95, 1.0]))
def test_trade_offs_are_the_best_of_all_thresholds(seed, n, levels, constant, kept):
    positive, scores, weights = draw(seed, n, levels, constant)
    ranked = Ranking(positive, scores).under(weights[None])
    truth, score = expanded(positive, scores, weights)
    if not truth.any() or truth.all():
        assert np.isnan(ranked.sensitivity_at(kept)).all()
        assert np.isnan(ranked.specificity_at(kept)).all()
        return
    sensitivity, specificity = rates(truth, score)
    expected = best(sensitivity, specificity, kept), best(specificity, sensitivity, kept)
    assert ranked.sensitivity_at(kept)[0] == pytest.approx(expected[0], **CLOSE)
    assert ranked.specificity_at(kept)[0] == pytest.approx(expected[1], **CLOSE)


def test_a_share_that_is_a_rounding_error_off_still_counts():
    # (1 - 0.9) * 10 is a little below 1 in floating point: one false alarm of ten is allowed.
    scores = np.array([0.9, 0.8] + [0.1] * 9, dtype=np.float32)
    positive = np.array([False, True] + [False] * 9)
    assert Ranking(positive, scores).under(np.ones((1, 11))).sensitivity_at(0.9)[0] == 1


def test_the_order_of_the_images_does_not_matter():
    positive, scores, weights = draw(7, 50, levels=3)
    turned = np.random.default_rng(1).permutation(50)
    first = Ranking(positive, scores).under(weights[None])
    second = Ranking(positive[turned], scores[turned]).under(weights[None, turned])
    assert first.auroc() == second.auroc()
    assert first.average_precision() == second.average_precision()

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skincli.errors import DataError, ModelError
from skincli.evaluation.calibration import (
    TEMPERATURE_RANGE,
    fit_operating_point,
    fit_temperature,
    reliability,
    untempered,
)
from skincli.evaluation.figures import calibration
from skincli.evaluation.resampling import point_figures
from skincli.inference.engine import softmax

SCORES = arrays(np.float32, st.integers(1, 60), elements=st.floats(0, 1, width=32))


@settings(deadline=None)
@given(scores=SCORES, seed=st.integers(0, 99), target=st.sampled_from([0.5, 0.8, 0.95, 1.0]))
def test_operating_point_is_the_highest_that_keeps_the_target(scores, seed, target):
    is_malignant = np.random.default_rng(seed).random(len(scores)) < 0.5
    is_malignant[0] = True
    point = json.loads(json.dumps(fit_operating_point(scores, is_malignant, target)))
    positives = scores[is_malignant]
    assert (positives >= point).mean() >= target
    assert (positives >= np.float32(point)).mean() >= target
    assert (positives >= np.nextafter(np.float32(point), np.float32(2))).mean() < target


def test_operating_point_counts_shares_as_a_sensitivity_is_counted():
    # 0.07 * 100 is a little above 7 in floating point: seven of a hundred are still enough.
    scores = np.linspace(0, 1, 100, dtype=np.float32)
    assert fit_operating_point(scores, np.ones(100, dtype=bool), 0.07) == scores[-7]


def test_operating_point_needs_a_malignant_lesion():
    with pytest.raises(DataError, match="no malignant lesion"):
        fit_operating_point(np.ones(3, np.float32), np.zeros(3, dtype=bool), 0.95)


@pytest.mark.parametrize("true", [0.4, 1.0, 3.0])
def test_temperature_is_found_again(true):
    rng = np.random.default_rng(5)
    honest = rng.normal(size=(20_000, 7)).astype(np.float32) * 2
    draws = rng.random((len(honest), 1))
    labels = (softmax(honest).cumsum(axis=1) < draws).sum(axis=1).clip(max=6)
    assert fit_temperature(honest * np.float32(true), labels) == pytest.approx(true, rel=0.03)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 999), scale=st.floats(0.1, 20), n=st.integers(1, 40))
def test_no_temperature_on_a_grid_is_more_likely(seed, scale, n):
    rng = np.random.default_rng(seed)
    logits = (scale * rng.normal(size=(n, 4))).astype(np.float32)
    labels = rng.integers(0, 4, n)

    def loss(temperature: float) -> float:
        scaled = logits.astype(np.float64) / temperature
        scaled -= scaled.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - scaled[range(n), labels]))

    fitted = fit_temperature(logits, labels)
    assert TEMPERATURE_RANGE[0] <= fitted <= TEMPERATURE_RANGE[1]
    assert loss(fitted) <= min(map(loss, np.geomspace(*TEMPERATURE_RANGE, 50))) + 1e-4


def test_temperature_of_logits_that_are_no_numbers_is_refused():
    with pytest.raises(ModelError, match="finite"):
        fit_temperature(np.full((2, 3), np.nan, np.float32), np.zeros(2, dtype=np.int64))


def expected_calibration_error(probabilities, labels):
    return point_figures(calibration(labels, probabilities), len(labels))["ece"]


def confident(confidence, correct):
    """Two-class probabilities with that confidence in class 0, and labels to match."""
    top = np.asarray(confidence, dtype=np.float32)
    return np.stack([top, 1 - top], axis=1), np.where(correct, 0, 1)


def test_calibration_error_of_bins_counted_by_hand():
    # 30 images in 15 bins of two: in each bin one is right, at a confidence of about 0.6 to 0.9.
    confidence = np.linspace(0.6, 0.9, 30)
    probabilities, labels = confident(confidence, np.arange(30) % 2 == 0)
    assert len(reliability(probabilities, labels).count) == 15
    got = expected_calibration_error(probabilities, labels)
    assert got == pytest.approx(np.mean(confidence) - 0.5, abs=1e-6)


def test_images_of_one_confidence_share_a_bin_whatever_their_order():
    correct = np.arange(100) < 80
    for order in (slice(None), slice(None, None, -1), np.random.default_rng(0).permutation(100)):
        probabilities, labels = confident(np.full(100, 0.8), correct[order])
        assert reliability(probabilities, labels).count.tolist() == [100]
        assert expected_calibration_error(probabilities, labels) == pytest.approx(0, abs=1e-6)


@settings(deadline=None)
@given(n=st.integers(1, 200), seed=st.integers(0, 99))
def test_bins_hold_every_image_and_about_the_same_number(n, seed):
    rng = np.random.default_rng(seed)
    confidence = 0.5 + 0.5 * rng.permutation(n) / n
    probabilities, labels = confident(confidence, rng.random(n) < confidence)
    bins = reliability(probabilities, labels)
    assert bins.count.sum() == n
    assert bins.count.max() - bins.count.min() <= 1
    assert (np.diff(bins.confidence) > 0).all()
    assert 0 <= expected_calibration_error(probabilities, labels) <= 1


def test_no_image_has_no_calibration_error():
    assert expected_calibration_error(np.zeros((0, 2), np.float32), np.zeros(0, int)) is None


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_scaling_by_a_temperature_is_undone(temperature):
    logits = np.random.default_rng(0).normal(scale=8, size=(200, 7)).astype(np.float32)
    scaled = softmax(logits, temperature)
    assert untempered(scaled, temperature) == pytest.approx(softmax(logits), abs=1e-6)

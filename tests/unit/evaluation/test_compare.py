"""Two models on the same images."""

import numpy as np
import pytest
from answering import drawn_predictions
from scipy.stats import chi2

from skincli.errors import ModelError
from skincli.evaluation.compare import paired_differences
from skincli.evaluation.comparing import mcnemar
from skincli.evaluation.figures import all_figures
from skincli.evaluation.resampling import intervals, point_figures, resampled
from skincli.progress import Silent


def differences(a, b, resamples=1000):
    return paired_differences(a, b, resamples=resamples, seed=0, progress=Silent())


def test_a_better_model_is_better_and_the_other_way_worse():
    good, bad = drawn_predictions(1, 300, skill=3), drawn_predictions(2, 300, skill=1)
    found, turned = differences(good, bad), differences(bad, good)
    accuracy = found["accuracy"]
    plain = (good.decided == good.labels).mean() - (bad.decided == bad.labels).mean()
    assert accuracy.value == pytest.approx(plain)
    assert 0 < accuracy.low < accuracy.one_sided_low < accuracy.value < accuracy.high
    # No draw is as extreme, and the plain figure counts as one.
    assert accuracy.p_value == pytest.approx(2 / 1001)
    for name, one in found.items():
        other = turned[name]
        assert other.value == pytest.approx(-one.value)
        assert other.low == pytest.approx(-one.high)
        assert other.p_value == pytest.approx(one.p_value)


def test_a_model_does_not_differ_from_itself():
    predictions = drawn_predictions(1, 200)
    for one in differences(predictions, predictions).values():
        assert (one.value, one.low, one.high, one.p_value) == (0, 0, 0, 1)


def test_pairs_tell_more_than_two_intervals():
    """What is hard for one is hard for both, so the difference is surer than either figure."""
    predictions = drawn_predictions(1, 400, skill=1.5)
    other = drawn_predictions(1, 400, skill=1.6)
    measure = all_figures(predictions)
    drawn = resampled(measure, predictions.lesions, 1000, 0, Silent())
    alone = intervals(point_figures(measure, 400), drawn)["macro_auroc"]
    found = differences(predictions, other)["macro_auroc"]
    assert found.high - found.low < (alone.high - alone.low) / 3


def test_chance_alone_is_rarely_called_a_difference():
    """Two models of the same skill: p below 0.1 in about a tenth of the comparisons."""
    p_values = [
        differences(drawn_predictions(2 * i, 120), drawn_predictions(2 * i + 1, 120), 200)[
            "accuracy"
        ].p_value
        for i in range(60)
    ]
    assert np.mean(np.array(p_values) < 0.1) < 0.25
    assert np.mean(p_values) > 0.35


def test_images_in_another_order_are_the_same_images():
    a, b = drawn_predictions(1, 100), drawn_predictions(2, 100)
    turned = b.of(np.random.default_rng(0).permutation(100))
    assert differences(a, b) == differences(a, turned)


def test_other_images_are_refused():
    a, b = drawn_predictions(1, 100), drawn_predictions(2, 100)
    with pytest.raises(ModelError, match=r"not measured on the same images: 4 of.* 0 the other"):
        differences(a, b.of(np.arange(96)))


def test_another_task_is_refused():
    with pytest.raises(ModelError, match="different tasks"):
        differences(drawn_predictions(1, 50), drawn_predictions(1, 50, task="binary"))


def test_what_only_one_defines_is_left_out():
    a, b = drawn_predictions(1, 60), drawn_predictions(2, 60)
    some = np.flatnonzero(a.labels != 4)
    found = differences(a.of(some), b.of(some))
    assert "melanoma_sensitivity" not in found
    assert "balanced_accuracy" in found


def test_mcnemar_counts_who_alone_was_right():
    a, b = drawn_predictions(1, 600, skill=2.0), drawn_predictions(2, 600, skill=1.6)
    found = mcnemar(a, b)
    right, theirs = a.decided == a.labels, b.decided == b.labels
    assert found.only_a == (right & ~theirs).sum()
    assert found.only_b == (theirs & ~right).sum()
    # The chi-squared approximation with continuity correction (Edwards 1948).
    statistic = (abs(found.only_a - found.only_b) - 1) ** 2 / (found.only_a + found.only_b)
    assert found.p_value == pytest.approx(chi2.sf(statistic, 1), rel=0.05)


def test_mcnemar_of_two_that_agree():
    predictions = drawn_predictions(1, 50)
    found = mcnemar(predictions, predictions)
    assert (found.only_a, found.only_b, found.p_value) == (0, 0, 1)

"""Every figure under weights, against scikit-learn on images repeated as often as they count."""

import numpy as np
import pytest
from answering import drawn_predictions
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from skincli.evaluation.calibration import reliability
from skincli.evaluation.figures import all_figures
from skincli.evaluation.metrics import compute_metrics

CLOSE = {"rel": 0, "abs": 1e-9, "nan_ok": True}


def measured(predictions, weights):
    return {name: value[0] for name, value in all_figures(predictions)(weights[None]).items()}


def repeated(predictions, weights):
    return predictions.of(np.repeat(np.arange(len(weights)), weights.astype(int)))


def undefined(part, whole):
    return part / whole if whole else np.nan


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 80),
    task=st.sampled_from(["multiclass", "binary"]),
    rate=st.sampled_from([0.3, 2.0]),
)
def test_figures_of_the_diagnoses(seed, n, task, rate):
    predictions = drawn_predictions(seed, n, task=task)
    weights = np.random.default_rng(seed).poisson(rate, n).astype(np.float64)
    got = measured(predictions, weights)
    shown = repeated(predictions, weights)
    truth, called = shown.labels, shown.decided
    every = range(len(shown.classes))
    table = reference.confusion_matrix(truth, called, labels=list(every)) if len(truth) else None
    for index, info in enumerate(shown.classes):
        if table is None:
            assert all(np.isnan(value) for value in got.values())
            return
        hits, support, calls = table[index, index], table[index].sum(), table[:, index].sum()
        prefix = f"per_class.{info.code}"
        assert got[f"{prefix}.sensitivity"] == pytest.approx(undefined(hits, support), **CLOSE)
        assert got[f"{prefix}.precision"] == pytest.approx(undefined(hits, calls), **CLOSE)
        f1 = undefined(2 * hits, support + calls)
        assert got[f"{prefix}.f1"] == pytest.approx(f1, **CLOSE)
    assert got["accuracy"] == pytest.approx(reference.accuracy_score(truth, called), **CLOSE)
    if len(np.unique(truth)) > 1:
        kappa = reference.cohen_kappa_score(truth, called)
        assert got["kappa"] == pytest.approx(kappa, **CLOSE)


@pytest.mark.parametrize("seed", range(4))
def test_where_every_class_is_there_scikit_learn_agrees(seed):
    predictions = drawn_predictions(seed, 400)
    weights = np.random.default_rng(seed).poisson(1, 400).astype(np.float64)
    got = measured(predictions, weights)
    shown = repeated(predictions, weights)
    truth, called = shown.labels, shown.decided
    score = reference.precision_recall_fscore_support(truth, called, average="macro")
    assert got["macro_precision"] == pytest.approx(score[0], **CLOSE)
    assert got["macro_f1"] == pytest.approx(score[2], **CLOSE)
    assert got["balanced_accuracy"] == pytest.approx(score[1], **CLOSE)
    specificity = [(called[truth != index] != index).mean() for index in range(7)]
    assert got["macro_specificity"] == pytest.approx(np.mean(specificity), **CLOSE)
    areas = [
        reference.average_precision_score(truth == index, shown.probabilities[:, index])
        for index in range(7)
    ]
    assert got["macro_average_precision"] == pytest.approx(np.mean(areas), **CLOSE)
    exact = shown.probabilities.astype(np.float64)
    loss = -np.log(exact[np.arange(len(truth)), truth]).mean()
    assert got["log_loss"] == pytest.approx(loss, **CLOSE)
    brier = ((exact - np.eye(7)[truth]) ** 2).sum(axis=1).mean()
    assert got["brier"] == pytest.approx(brier, **CLOSE)
    melanoma = truth == 4
    assert got["melanoma_sensitivity_at_operating_point"] == pytest.approx(
        shown.flagged[melanoma].mean(), **CLOSE
    )


def test_plain_weights_give_the_metrics():
    predictions = drawn_predictions(3, 300)
    got = measured(predictions, np.ones(300))
    metrics = compute_metrics(
        predictions.labels, predictions.probabilities, predictions.decided,
        predictions.malignant, predictions.classes, 0.3,
    )  # fmt: skip
    assert metrics.balanced_accuracy == got["balanced_accuracy"]
    assert metrics.per_class["df"].f1 == got["per_class.df.f1"]
    assert (
        metrics.malignant_specificity_at_95_sensitivity
        == (got["malignant_specificity_at_95_sensitivity"])
    )


def test_calibration_keeps_the_bins_of_all_images():
    predictions = drawn_predictions(5, 150)
    bins = reliability(predictions.probabilities, predictions.labels)
    gaps = np.abs(bins.confidence - bins.accuracy)
    assert measured(predictions, np.ones(150))["ece"] == pytest.approx(
        np.average(gaps, weights=bins.count), **CLOSE
    )
    # One bin's images alone: what they are off by, whatever bins they would make of themselves.
    confidence = predictions.probabilities.max(axis=1)
    sure = confidence >= np.sort(confidence)[-10]
    correct = predictions.decided == predictions.labels
    alone = measured(predictions, sure.astype(np.float64))["ece"]
    assert alone == pytest.approx(abs((confidence - correct)[sure].mean()), abs=1e-6)


def test_a_certain_mistake_costs_no_more_than_a_rounding_error():
    predictions = drawn_predictions(0, 20, skill=0)
    predictions.probabilities[:] = np.eye(7, dtype=np.float32)[(predictions.labels + 1) % 7]
    assert measured(predictions, np.ones(20))["log_loss"] == pytest.approx(
        -np.log(np.finfo(np.float32).eps)
    )

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from skincli.errors import ModelError
from skincli.evaluation.metrics import HEADLINE, Metrics, compute_metrics, headline
from skincli.inference.engine import malignant_probability, softmax
from skincli.taxonomy import Task, classes_of

CLOSE = {"rel": 0, "abs": 1e-9}


def draw(seed: int, n: int, task: Task = "multiclass", levels: int = 0):
    """Labels and scores of n images; `levels` above 0 makes ties."""
    rng = np.random.default_rng(seed)
    n_classes = len(classes_of(task))
    labels = rng.integers(0, n_classes, n)
    logits = rng.normal(size=(n, n_classes)) + np.eye(n_classes)[labels]
    if levels:
        logits = np.round(logits * levels) / levels
    probabilities = softmax(logits.astype(np.float32))
    return labels, probabilities, malignant_probability(probabilities, classes_of(task))


def measure(labels, probabilities, malignant, task: Task = "multiclass", point=0.3) -> Metrics:
    decided = probabilities.argmax(axis=1)
    return compute_metrics(labels, probabilities, decided, malignant, classes_of(task), point)


def pair_auroc(positive, scores):
    """The definition itself: pairs won, ties counting half. None without pairs."""
    above = scores[positive][:, None] - scores[~positive][None, :]
    return float(np.mean((above > 0) + (above == 0) / 2)) if above.size else None


def mean_of_defined(values):
    defined = [value for value in values if value is not None]
    return pytest.approx(np.mean(defined), **CLOSE) if defined else None


def close(value):
    return None if value is None else pytest.approx(value, **CLOSE)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 60),
    task=st.sampled_from(["multiclass", "binary"]),
    levels=st.integers(0, 2),
)
def test_agrees_with_definitions_where_classes_are_absent_and_scores_tie(seed, n, task, levels):
    labels, probabilities, malignant = draw(seed, n, task, levels)
    got = measure(labels, probabilities, malignant, task)
    predicted = probabilities.argmax(axis=1)
    areas, recalls = [], []
    for index, info in enumerate(classes_of(task)):
        is_class, says_class = labels == index, predicted == index
        one = got.per_class[info.code]
        recalls.append(float(says_class[is_class].mean()) if is_class.any() else None)
        areas.append(pair_auroc(is_class, probabilities[:, index]))
        assert one.n == is_class.sum()
        assert one.sensitivity == close(recalls[-1])
        assert one.auroc == close(areas[-1])
        others = ~is_class
        assert one.specificity == close((~says_class)[others].mean() if others.any() else None)
        assert (one.average_precision is None) == (not is_class.any())
    assert got.accuracy == close(reference.accuracy_score(labels, predicted))
    assert got.balanced_accuracy == mean_of_defined(recalls)
    assert got.macro_auroc == mean_of_defined(areas)
    every = list(range(probabilities.shape[1]))
    expected = reference.confusion_matrix(labels, predicted, labels=every)
    assert got.confusion == tuple(map(tuple, expected.tolist()))
    json.dumps(asdict(got), allow_nan=False)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn_where_every_class_is_there(seed):
    labels, probabilities, malignant = draw(seed, 400)
    # scikit-learn wants rows that sum to 1 in double precision.
    exact = probabilities.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    got = measure(labels, exact, malignant)
    predicted = exact.argmax(axis=1)
    is_malignant = np.isin(labels, [0, 1, 4])
    calls = malignant >= 0.3
    assert got.balanced_accuracy == close(reference.balanced_accuracy_score(labels, predicted))
    macro = reference.roc_auc_score(labels, exact, multi_class="ovr", average="macro")
    assert got.macro_auroc == close(macro)
    assert got.malignant_auroc == close(reference.roc_auc_score(is_malignant, malignant))
    assert got.malignant_sensitivity == close(reference.recall_score(is_malignant, calls))
    assert got.malignant_specificity == close(reference.recall_score(~is_malignant, ~calls))
    precision = [
        reference.average_precision_score(labels == index, exact[:, index]) for index in range(7)
    ]
    assert [c.average_precision for c in got.per_class.values()] == close(precision)


def test_melanoma_is_counted_at_the_argmax_and_at_the_operating_point():
    # Of four melanomas one wins the argmax, and three pass the threshold through any malignancy.
    labels = np.array([4, 4, 4, 4, 5])
    probabilities = np.zeros((5, 7), dtype=np.float32)
    probabilities[0, 4] = 1
    probabilities[1, [4, 5]] = (0.25, 0.75)
    probabilities[2, [1, 5]] = (0.25, 0.75)
    probabilities[3:, 5] = 1
    malignant = malignant_probability(probabilities, classes_of("multiclass"))
    got = measure(labels, probabilities, malignant, point=0.25)
    assert got.melanoma_sensitivity == 0.25
    assert got.melanoma_sensitivity_at_operating_point == 0.75
    assert got.malignant_sensitivity == 0.75
    assert got.malignant_specificity == 1.0


def test_a_binary_model_speaks_of_malignant_lesions():
    got = measure(*draw(3, 200, "binary"), task="binary")
    assert got.melanoma_sensitivity == got.per_class["malignant"].sensitivity
    assert got.melanoma_sensitivity_at_operating_point == got.malignant_sensitivity
    assert got.macro_auroc == pytest.approx(got.malignant_auroc, abs=1e-3)


def test_one_class_alone_leaves_ranking_undefined_and_out_of_the_headline():
    labels, probabilities, malignant = draw(1, 20)
    got = measure(np.full_like(labels, 5), probabilities, malignant)
    assert got.macro_auroc is got.malignant_auroc is got.melanoma_sensitivity is None
    assert got.malignant_sensitivity is None
    assert got.balanced_accuracy == got.per_class["nv"].sensitivity
    assert got.per_class["nv"].specificity is None
    assert set(headline(got)) == {"accuracy", "balanced_accuracy", "malignant_specificity", "ece"}


def test_no_image_defines_nothing():
    nothing = np.zeros(0, dtype=np.int64), np.zeros((0, 7), np.float32), np.zeros(0, np.float32)
    got = measure(*nothing)
    assert got.n == 0
    assert headline(got) == {}


def test_headline_carries_every_name_and_the_value_of_the_metrics():
    got = measure(*draw(0, 300))
    assert headline(got) == {name: getattr(got, name) for name in HEADLINE}


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_no_numbers_have_no_figures(bad):
    labels, probabilities, malignant = draw(0, 10)
    probabilities[3, 2] = bad
    with pytest.raises(ModelError, match="1 of 10 images"):
        measure(labels, probabilities, malignant)

"""Conformal thresholds keep their promise on lesions never seen, class by class."""

from itertools import compress

import numpy as np
import pytest

from skincli.evaluation.conformal import FEWEST_LESIONS, fit_conformal
from skincli.inference.engine import conformal_sets, softmax


def drawn(rng: np.random.Generator, lesions: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Images of a bad model: 1 to 4 of each lesion, alike among themselves; 3 classes."""
    sizes = rng.integers(1, 5, lesions)
    truth = rng.choice(3, lesions, p=[0.7, 0.2, 0.1])
    centre = rng.normal(size=(lesions, 3)) + 0.8 * np.eye(3)[truth]
    owner = np.repeat(np.arange(lesions), sizes)
    logits = centre[owner] + 0.3 * rng.normal(size=(len(owner), 3))
    return softmax(logits.astype(np.float32)), truth[owner], [f"L{n}" for n in owner]


def coverage_of(sets: np.ndarray, labels: np.ndarray, lesions: list[str]) -> float:
    """The mean over lesions of the share of their images that are covered."""
    unit = np.unique(lesions, return_inverse=True)[1]
    covered = sets[np.arange(len(labels)), labels]
    return float((np.bincount(unit, covered) / np.bincount(unit)).mean())


def test_the_promise_is_kept_for_every_class_on_new_lesions():
    rng, found = np.random.default_rng(0), []
    for _ in range(60):
        conformal = fit_conformal(*drawn(rng, 600), coverage=0.9)
        probabilities, labels, lesions = drawn(rng, 600)
        # A diagnosis that is always wrong adds nothing to the coverage.
        sets = conformal_sets(probabilities, (labels + 1) % 3, conformal)
        found.append(
            [
                coverage_of(sets[own], labels[own], list(compress(lesions, own)))
                for own in (labels == label for label in range(3))
            ]
        )
    # Over draws of both parts the mean is at least what was promised, and hardly more.
    mean = np.mean(found, axis=0)
    assert (mean > 0.89).all()
    assert (mean < 0.93).all()


def test_a_lesion_counts_once_however_often_it_was_photographed():
    scores = np.array([0.9, *[0.2] * 50, 0.8, 0.7, 0.6])
    labels = np.zeros(len(scores), dtype=np.int64)
    probabilities = np.stack([scores, 1 - scores], axis=1).astype(np.float32)
    lesions = ["a", *["b"] * 50, "c", "d", "e"]
    conformal = fit_conformal(probabilities, labels, lesions, coverage=0.6)
    # Five lesions and one to come: 4 of 6 are within .4, whatever `b` has; 3 of 6 were too few.
    assert conformal.thresholds[0] == pytest.approx(0.4)


def test_a_class_with_few_lesions_has_the_threshold_of_all_and_says_so():
    rng = np.random.default_rng(1)
    probabilities, labels, lesions = drawn(rng, 100)
    keep = (labels != 2) | (np.cumsum(labels == 2) <= 3)
    probabilities, labels, lesions = (
        probabilities[keep],
        labels[keep],
        list(compress(lesions, keep)),
    )
    conformal = fit_conformal(probabilities, labels, lesions, coverage=0.9)
    assert conformal.marginal == (False, False, True)
    assert conformal.lesions[2] < FEWEST_LESIONS <= min(conformal.lesions[:2])
    # All as one class, with the probability of the true one.
    true = probabilities[np.arange(len(labels)), labels]
    together = fit_conformal(true[:, None], np.zeros(len(true), dtype=np.int64), lesions, 0.9)
    assert conformal.thresholds[2] == together.thresholds[0]


def test_too_few_lesions_to_promise_anything_let_every_class_in():
    probabilities = np.array([[0.9, 0.1]] * 4, dtype=np.float32)
    conformal = fit_conformal(probabilities, np.zeros(4, dtype=np.int64), list("abcd"), 0.9)
    assert conformal.thresholds == (1.0, 1.0)
    assert conformal_sets(probabilities, np.zeros(4, dtype=np.intp), conformal).all()

"""When a model had better not answer: far images, dull ones, and sets that hold both sides."""

import numpy as np
import pytest
from bundles import tiny_bundle

from skincli.bundle import open_bundle
from skincli.inference.abstaining import abstentions, undecided
from skincli.inference.engine import Classifier, conformal_sets
from skincli.inference.novelty import Reference, sharpness
from skincli.taxonomy import classes_of

CLASSES = classes_of("multiclass")
CODES = [info.code for info in CLASSES]


def plain(*levels: int) -> np.ndarray:
    return np.stack([np.full((32, 32, 3), level, np.uint8) for level in levels])


def checkered(contrast: int) -> np.ndarray:
    board = (np.indices((32, 32)).sum(axis=0) % 2) * contrast + 128 - contrast // 2
    return np.repeat(board[None, :, :, None], 3, axis=3).astype(np.uint8)


def test_distance_is_that_of_mahalanobis():
    rng = np.random.default_rng(0)
    spread = rng.normal(size=(4, 4))
    precision = np.linalg.inv(spread @ spread.T)
    mean = rng.normal(size=4)
    reference = Reference(mean.astype(np.float32), np.linalg.cholesky(precision).astype(np.float32))
    features = rng.normal(size=(5, 4)).astype(np.float32)
    expected = [np.sqrt((f - mean) @ precision @ (f - mean) / 4) for f in features]
    np.testing.assert_allclose(reference.distance(features), expected, rtol=1e-3)


def test_sharpness_is_the_laplacians_and_forgets_brightness():
    # Each pixel of a chequered board differs from its four neighbours by the contrast.
    assert sharpness(checkered(10)) == pytest.approx(40)
    assert sharpness(plain(0, 90, 255)) == pytest.approx([0, 0, 0])


def test_far_images_are_out_of_distribution(tmp_path):
    bundle = tiny_bundle(tmp_path / "b", largest_distance=0.5, thresholds=[0.0] * 7)
    scores = Classifier(bundle).score(plain(128, 200, 255, 0))
    # From mid-grey to white or black is 1, so twice the limit.
    assert scores.novelty == pytest.approx([0, 1.13, 2, 2], abs=0.02)
    reasons = abstentions(scores, CLASSES)
    assert reasons == [None, *["unlike_training_images"] * 3]


def test_dull_images_are_told_to_be_blurred(tmp_path):
    bundle = tiny_bundle(tmp_path / "b", least_sharpness=20.0, thresholds=[0.0] * 7)
    images = np.concatenate([checkered(20), checkered(2), plain(128)])
    scores = Classifier(bundle).score(images)
    assert scores.novelty[:2] == pytest.approx([20 / 80, 20 / 8], rel=1e-3)
    assert abstentions(scores, CLASSES) == [None, "blurred", "blurred"]


def test_a_set_holds_what_is_within_its_threshold_and_the_diagnosis(tmp_path):
    conformal = tiny_bundle(tmp_path / "b", thresholds=[0.5, 0.9, 0.5, 0.5, 0.5, 0.5, 0.5])
    probabilities = np.array([[0.6, 0.1, 0.3, 0, 0, 0, 0], [0.3, 0.05, 0.65, 0, 0, 0, 0]])
    sets = conformal_sets(
        probabilities.astype(np.float32), np.array([0, 3]), conformal.spec.conformal
    )
    assert np.flatnonzero(sets[0]).tolist() == [0, 1]
    assert np.flatnonzero(sets[1]).tolist() == [2, 3]


def test_benign_and_malignant_in_one_set_is_no_answer():
    def members(*codes: str) -> list[bool]:
        return [code in codes for code in CODES]

    sets = np.array([members("nv", "bkl"), members("mel", "bcc"), members("nv", "mel")])
    assert undecided(sets, CLASSES).tolist() == [False, False, True]


def test_limits_survive_the_bundle_exactly(tmp_path):
    tiny_bundle(
        tmp_path / "b", thresholds=[0.1 + 1e-9 * n for n in range(7)], least_sharpness=1 / 3
    )
    spec = open_bundle(tmp_path / "b").spec
    assert spec.conformal.thresholds == tuple(0.1 + 1e-9 * n for n in range(7))
    assert spec.out_of_distribution.least_sharpness == 1 / 3

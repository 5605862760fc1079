"""When a model had better not answer: far images, dull ones, and sets that hold both sides."""

import numpy as np
import pytest
from bundles import tiny_bundle

from skincli.bundle import open_bundle
from skincli.inference.abstaining import abstentions, undecided
from skincli.inference.engine import Classifier, conformal_sets
from skincli.inference.novelty import Gaussian, Reference, sharpness, texture
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
    reference = Gaussian(mean.astype(np.float32), np.linalg.cholesky(precision).astype(np.float32))
    features = rng.normal(size=(5, 4)).astype(np.float32)
    expected = [np.sqrt((f - mean) @ precision @ (f - mean) / 4) for f in features]
    np.testing.assert_allclose(reference.distance(features), expected, rtol=1e-3)


def test_texture_is_of_colours_edges_and_places():
    # Each pixel of a chequered board differs from its four neighbours by the contrast.
    assert np.exp(sharpness(texture(checkered(51)))) == pytest.approx(0.8, rel=1e-3)
    flat = texture(plain(0, 102))
    assert flat[:, 0] == pytest.approx([0, 0.4], abs=1e-4)
    assert sharpness(flat) == pytest.approx(np.log([1e-4, 1e-4]), abs=1e-3)
    lit_above = plain(0)
    lit_above[:, :16, :, 2] = 255  # blue
    assert texture(lit_above)[0, -6:] == pytest.approx([1 / 3, 0, 1, 0, 0, 0], abs=1e-5)
    assert texture(np.zeros((2, 224, 224, 3), np.uint8)).shape == (2, flat.shape[1])


def test_shape_and_shift_of_the_texture_do_not_hang_on_the_batch():
    images = np.random.default_rng(0).integers(0, 256, (5, 50, 50, 3), dtype=np.uint8)
    one_by_one = np.concatenate([texture(image[None]) for image in images])
    np.testing.assert_allclose(texture(images), one_by_one, rtol=1e-5)


def test_far_images_are_out_of_distribution(tmp_path):
    bundle = tiny_bundle(tmp_path / "b", largest_distance=0.5, thresholds=[0.0] * 7)
    scores = Classifier(bundle).score(plain(128, 200, 255, 0))
    # From mid-grey to white or black is 1, so twice the limit.
    assert scores.novelty == pytest.approx([0, 1.13, 2, 2], abs=0.02)
    reasons = abstentions(scores, CLASSES)
    assert reasons == [None, *["unlike_training_images"] * 3]


def test_strange_texture_is_out_of_distribution_and_blur_is_named(tmp_path):
    bundle = tiny_bundle(tmp_path / "b", least_sharpness=-2.0, thresholds=[0.0] * 7)
    # Strange is what lacks the edges of a board of contrast 51.
    seen = texture(checkered(51))[0]
    edges = np.zeros((len(seen), len(seen)), np.float32)
    edges[6, 6] = len(seen) ** 0.5
    known = Reference.load(bundle.reference)
    Reference(known.features, Gaussian(seen, edges)).save(bundle.reference)
    scores = Classifier(bundle).score(np.concatenate([checkered(51), checkered(4), plain(128)]))
    assert scores.novelty == pytest.approx([0, 2.54, 8.99], abs=0.02)
    assert abstentions(scores, CLASSES) == [None, "blurred", "blurred"]
    sharp = checkered(250)
    assert abstentions(Classifier(bundle).score(sharp), CLASSES) == ["unlike_training_images"]


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

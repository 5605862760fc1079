"""What is fitted to know the unknown, and the drawn pictures that it is tried on."""

import numpy as np
import pytest

from skincli.evaluation.near_misses import near_misses
from skincli.evaluation.novelty import FEATURE_RIDGE, fit_gaussian, fit_limits
from skincli.inference.novelty import Reference, sharpness, texture


def test_distances_of_what_was_fitted_are_about_one_and_of_the_far_are_far():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(16, 16)) * np.logspace(-2, 2, 16)
    features = (rng.normal(size=(2000, 16)) @ mixing + 5).astype(np.float32)
    reference = fit_gaussian(features, FEATURE_RIDGE)
    assert np.mean(reference.distance(features) ** 2) == pytest.approx(1, abs=0.2)
    # As long as the mean feature, in a direction that the features hardly take.
    rare = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)[2][-1]
    ordinary = np.linalg.norm(features - features.mean(axis=0), axis=1).mean()
    assert reference.distance(features[:1] + rare.astype(np.float32) * ordinary) > 10


def test_dead_and_repeated_channels_and_few_images_are_no_obstacle():
    rng = np.random.default_rng(0)
    some = rng.normal(size=(30, 40)).astype(np.float32)
    features = np.concatenate([some, some, np.zeros((30, 5), np.float32)], axis=1)
    distance = fit_gaussian(features, FEATURE_RIDGE).distance(features)
    assert np.isfinite(distance).all()
    moved = features.copy()
    moved[:, -1] = 100  # a dead channel says nothing, not even when it wakes
    np.testing.assert_allclose(fit_gaussian(features, FEATURE_RIDGE).distance(moved), distance)


def test_the_limits_together_let_the_stated_share_go_wrong():
    rng = np.random.default_rng(0)
    features, seen = rng.normal(size=(2, 1000, 12)).astype(np.float32)
    reference = Reference(fit_gaussian(features, FEATURE_RIDGE), fit_gaussian(seen, FEATURE_RIDGE))
    limits = fit_limits(reference, features, seen, false_alarms=0.05)
    assert 0.045 < np.mean(reference.novelty(limits, features, seen) > 1) <= 0.05
    for one in (
        reference.features.distance(features) > limits.largest_feature_distance,
        reference.texture.distance(seen) > limits.largest_texture_distance,
    ):
        assert 0.02 < one.mean() < 0.03
    assert limits.least_sharpness == seen[:, 6].min()


def test_near_misses_repeat_by_their_seed_and_are_what_they_say():
    rng = np.random.default_rng(0)
    lesions = rng.integers(0, 256, (3, 48, 48, 3), dtype=np.uint8)
    first, again = (near_misses(48, "whole", lesions, 4, seed=1) for _ in range(2))
    other = near_misses(48, "whole", lesions, 4, seed=2)
    for kind, images in first.items():
        assert images.shape == (4, 48, 48, 3)
        np.testing.assert_array_equal(images, again[kind])
        assert (images != other[kind]).any()
    blurred, sharp = (sharpness(texture(x)) for x in (first["heavy blur"], lesions))
    assert blurred.max() < sharp.min() - 3
    assert first["black frame"].mean() < 30 < first["plain skin"].min()
    assert first["text"].mean() > 180

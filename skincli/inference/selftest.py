"""The least that a bundle must do before anyone is pointed to it."""

import numpy as np

from skincli.bundle import Bundle
from skincli.errors import ModelError
from skincli.inference.engine import Classifier


def self_test(bundle: Bundle) -> Classifier:
    """Load the network and score a batch of two plain images. Raises ModelError.

    Probabilities must be finite and sum to 1, and two equal images must score alike.
    """
    size = bundle.spec.image_size
    classifier = Classifier(bundle)
    scores = classifier.score(np.full((2, size, size, 3), 128, dtype=np.uint8))
    expected = (2, len(bundle.spec.classes))
    probabilities = scores.probabilities
    if probabilities.shape != expected:
        raise ModelError(
            f"the bundle fails its self-test: outputs of shape {probabilities.shape}, "
            f"not {expected}"
        )
    if not np.isfinite(probabilities).all() or abs(probabilities.sum(axis=1) - 1).max() > 1e-3:
        raise ModelError("the bundle fails its self-test: its probabilities do not sum to 1")
    if abs(probabilities[0] - probabilities[1]).max() > 1e-4:
        raise ModelError("the bundle fails its self-test: equal images score differently")
    return classifier

"""The least that a bundle must do before anyone is pointed to it."""

import numpy as np

from skincli.bundle import Bundle
from skincli.errors import ModelError
from skincli.inference.engine import Classifier, Scores


def checked_classifier(bundle: Bundle, threads: int = 0) -> Classifier:
    """Load the network and score two equal plain images. Raises ModelError.

    There must be one probability per class, they must sum to 1, and equal images score alike.
    """
    classifier = Classifier(bundle, threads)
    size = bundle.spec.image_size
    try:
        scores = classifier.score(np.full((2, size, size, 3), 128, dtype=np.uint8))
    except Exception as error:  # ONNX Runtime's own exceptions share no base but Exception
        raise ModelError(f"the model in `{bundle.folder}` cannot be run: {error}") from None
    fault = _fault(scores, len(bundle.spec.classes))
    if fault:
        raise ModelError(
            f"the model in `{bundle.folder}` fails its self-test: {fault}",
            "take another version, or train again",
        )
    return classifier


def _fault(scores: Scores, n_classes: int) -> str:
    probabilities = scores.probabilities
    if probabilities.shape != (2, n_classes):
        return f"outputs of shape {probabilities.shape}, not {(2, n_classes)}"
    # A sum that is not a number fails the comparison too.
    if not (abs(probabilities.sum(axis=1) - 1) < 1e-3).all():
        return "its probabilities do not sum to 1"
    if abs(probabilities[0] - probabilities[1]).max() > 1e-4:
        return "equal images score differently"
    return ""

"""What is fitted on the calibration part, and how well confidence matches accuracy. No torch."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skincli.errors import DataError, ModelError

Floats = NDArray[np.float32]
Labels = NDArray[np.integer]
Flags = NDArray[np.bool_]

BINS: Final = 15
TEMPERATURE_RANGE: Final = (0.05, 20.0)


@dataclass(frozen=True, slots=True)
class Reliability:
    """Mean `confidence`, `accuracy` and `count` of each bin, by rising confidence; all `[B]`."""

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    count: NDArray[np.intp]


def fit_operating_point(malignant: Floats, is_malignant: Flags, target: float) -> float:
    """The highest threshold on `malignant [N]` that keeps at least `target` sensitivity.

    An image is called malignant when `score >= threshold`. The threshold is the score of one of
    the images, thus a float32, which JSON and a float32 comparison both keep exactly. Raises
    DataError when no image is malignant.
    """
    scores = np.sort(malignant[is_malignant])[::-1]
    if not len(scores):
        raise DataError(
            "the calibration part holds no malignant lesion: no operating point can be fitted",
            "add malignant lesions, or give `data.parts.calibration` a larger share",
        )
    sensitivity = np.arange(1, len(scores) + 1) / len(scores)
    return float(scores[np.argmax(sensitivity >= target)])


def fit_temperature(logits: Floats, labels: Labels) -> float:
    """The temperature that minimises the negative log-likelihood of `logits [N, C]`.

    Guo et al. 2017 (arXiv:1706.04599), section 4.2. The loss is convex in 1/T, so that a bounded
    search over log T cannot stop in a lesser minimum. Raises ModelError when a logit is not
    finite.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    if not np.isfinite(logits).all():
        raise ModelError("the model's logits are not all finite numbers", "lower `optimizer.lr`")
    wide = logits.astype(np.float64)
    chosen = wide[np.arange(len(labels)), labels]

    def loss(log_temperature: float) -> float:
        inverse = np.exp(-log_temperature)
        return float(np.mean(logsumexp(wide * inverse, axis=1) - chosen * inverse))

    bounds = tuple(np.log(TEMPERATURE_RANGE))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def reliability(probabilities: Floats, labels: Labels) -> Reliability:
    """Bins of equal mass over the confidence of the predicted class, at most `BINS` of them.

    Images of the same confidence share a bin, so that the order of the images does not matter.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    bins = confidence_bins(confidence)
    count = np.bincount(bins, minlength=1)
    filled = count > 0
    count = count[filled]
    return Reliability(
        np.bincount(bins, weights=confidence, minlength=1)[filled] / count,
        np.bincount(bins, weights=correct, minlength=1)[filled] / count,
        count,
    )


def confidence_bins(confidence: NDArray[np.float64]) -> NDArray[np.intp]:
    """The bin `[N]` of each image, by rising confidence `[N]`."""
    starts = np.linspace(0, len(confidence), BINS + 1)[1:-1].astype(np.intp)
    edges = np.unique(np.sort(confidence)[starts]) if len(confidence) else confidence
    return np.searchsorted(edges, confidence, side="right")


def untempered(probabilities: Floats, temperature: float) -> Floats:
    """The probabilities `[N, C]` before their logits were divided by `temperature`."""
    # Relative to the largest, so that no power of the sharpest underflows.
    relative = probabilities / probabilities.max(axis=1, keepdims=True)
    powers = relative.astype(np.float64) ** temperature
    result: Floats = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return result

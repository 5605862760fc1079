"""Fitting what is out of distribution: Gaussians on training images, limits on calibration."""

from typing import Final

import numpy as np

from skincli.bundle import OutOfDistribution
from skincli.evaluation.calibration import Floats
from skincli.inference.novelty import Gaussian, Reference, sharpness

# Of the training part. More of them found no more (docs/results.md).
REFERENCE_IMAGES: Final = 2000
# In units of a standardised channel's variance. Features that repeat each other stay invertible;
# and what hardly varies in texture, such as how two scales of one image relate, hangs on the file
# rather than the skin, so that it is not held against an image as much.
FEATURE_RIDGE: Final = 1e-3
TEXTURE_RIDGE: Final = 1.0
_STEPS: Final = 1000


def fit_gaussian(vectors: Floats, ridge: float) -> Gaussian:
    """The Gaussian over `vectors [N, D]`, its covariance shrunk by Ledoit & Wolf 2004
    (doi:10.1016/S0047-259X(03)00096-4), which holds where N is not far above D."""
    from sklearn.covariance import LedoitWolf

    wide = vectors.astype(np.float64)
    mean, deviation = wide.mean(axis=0), wide.std(axis=0)
    # A channel that never moved has no scale and is left out.
    inverse = np.divide(1, deviation, out=np.zeros(len(mean)), where=deviation > 1e-6)
    shrunk = LedoitWolf(assume_centered=True).fit((wide - mean) * inverse).covariance_
    precision = np.linalg.inv(shrunk + ridge * np.eye(len(mean)))
    whitening = inverse[:, None] * np.linalg.cholesky(precision)
    return Gaussian(mean.astype(np.float32), whitening.astype(np.float32))


def fit_limits(
    reference: Reference, features: Floats, seen: Floats, false_alarms: float
) -> OutOfDistribution:
    """Limits under which at most that share of N images is flagged, by one distance or the other.

    Both limits are the same quantile of their distances, over `features [N, D]` and over `seen
    [N, T]`, the images' texture.
    """
    far, strange = reference.features.distance(features), reference.texture.distance(seen)
    for level in 1 - false_alarms + false_alarms * np.arange(_STEPS) / _STEPS:
        one, other = (np.quantile(values, level, method="higher") for values in (far, strange))
        if np.mean((far > one) | (strange > other)) <= false_alarms:
            break
    return OutOfDistribution(
        false_alarm_rate=false_alarms,
        largest_feature_distance=float(one),
        largest_texture_distance=float(other),
        least_sharpness=float(sharpness(seen).min()),
    )

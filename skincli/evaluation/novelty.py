"""Fitting what is out of distribution: a Gaussian on training images, limits on calibration."""

from typing import Final

import numpy as np

from skincli.bundle import OutOfDistribution
from skincli.evaluation.calibration import Floats
from skincli.inference.novelty import Reference

# Of the training part. More of them found no more (docs/results.md).
REFERENCE_IMAGES: Final = 2000
# In units of a standardised channel's variance: features that repeat each other stay invertible.
_RIDGE: Final = 1e-3


def fit_reference(features: Floats) -> Reference:
    """The Gaussian over `features [N, D]`, its covariance shrunk by Ledoit & Wolf 2004
    (doi:10.1016/S0047-259X(03)00096-4), which holds where N is not far above D."""
    from sklearn.covariance import LedoitWolf

    wide = features.astype(np.float64)
    mean, deviation = wide.mean(axis=0), wide.std(axis=0)
    # A channel that never moved has no scale and is left out.
    inverse = np.divide(1, deviation, out=np.zeros(len(mean)), where=deviation > 1e-6)
    shrunk = LedoitWolf(assume_centered=True).fit((wide - mean) * inverse).covariance_
    precision = np.linalg.inv(shrunk + _RIDGE * np.eye(len(mean)))
    whitening = inverse[:, None] * np.linalg.cholesky(precision)
    return Reference(mean.astype(np.float32), whitening.astype(np.float32))


def fit_limits(distance: Floats, sharp: Floats, false_alarms: float) -> OutOfDistribution:
    """Limits under which that share of images with `distance [N]` and `sharp [N]` are flagged.

    None is flagged for its sharpness: the least sharp of them is still sharp enough.
    """
    limit = np.quantile(distance, 1 - false_alarms, method="higher")
    return OutOfDistribution(
        false_alarm_rate=false_alarms,
        largest_distance=float(limit),
        least_sharpness=float(sharp.min()),
    )

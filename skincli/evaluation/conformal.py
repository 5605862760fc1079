"""Sets of diagnoses that hold the true one as often as was promised, whatever the model is worth.

Scores are one minus the probability of the class (Sadinle et al. 2019, arXiv:1609.00451),
thresholds belong to classes (Vovk 2012, arXiv:1209.2673). Images of one lesion are not
independent, lesions are: each lesion counts once, shared by its images (Lee et al. 2023,
arXiv:2306.06342), and the promise is about an image of a new lesion.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skincli.bundle import Conformal
from skincli.evaluation.calibration import Floats, Labels

# With fewer lesions than this a threshold of the class's own would jump from one to the next.
FEWEST_LESIONS: Final = 20


def fit_conformal(
    probabilities: Floats, labels: Labels, lesions: Sequence[str], coverage: float
) -> Conformal:
    """Thresholds for `probabilities [N, C]` of images with true `labels [N]` and their lesions.

    A class with fewer than `FEWEST_LESIONS` lesions has the threshold of all classes together.
    """
    scores = np.float32(1) - probabilities[np.arange(len(labels)), labels]
    units = np.unique(np.asarray(lesions), return_inverse=True)[1]
    everything = _threshold(scores, units, coverage)
    thresholds, counts, marginal = [], [], []
    for label in range(probabilities.shape[1]):
        own = labels == label
        counts.append(len(np.unique(units[own])))
        marginal.append(counts[-1] < FEWEST_LESIONS)
        thresholds.append(
            everything if marginal[-1] else _threshold(scores[own], units[own], coverage)
        )
    return Conformal(
        coverage=coverage,
        thresholds=tuple(thresholds),
        lesions=tuple(counts),
        marginal=tuple(marginal),
    )


def _threshold(scores: Floats, lesions: NDArray[np.intp], coverage: float) -> float:
    """The least score that, with one more lesion to come, covers that share of the lesions.

    1, which lets every class in, where there are too few lesions to promise it.
    """
    order = np.argsort(scores, kind="stable")
    shares = 1 / np.bincount(lesions)[lesions[order]]
    reached = np.cumsum(shares) / (len(np.unique(lesions)) + 1)
    covered = np.flatnonzero(reached >= coverage - 1e-9)
    return float(scores[order][covered[0]]) if len(covered) else 1.0

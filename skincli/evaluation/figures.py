"""All figures of merit of N answers, each a function of how often every image counts.

A figure takes `weights [B, N]` and gives a value `[B]` for each weighting, NaN where it is not
defined: the plain figure and those of resamples are one code path.
"""

import numpy as np

from skincli.errors import ModelError
from skincli.evaluation.answers import Answers
from skincli.evaluation.calibration import Floats, Labels, confidence_bins
from skincli.evaluation.diagnosing import class_rankings, diagnoses
from skincli.evaluation.ranking import Figures, Measure, Weights, share
from skincli.evaluation.suspecting import malignancy, melanoma


def all_figures(answers: Answers) -> Measure:
    """Every figure that a model is described by, under its flat name.

    Those of one class are called `per_class.CODE.FIGURE`. Raises ModelError when a score is not a
    finite number: such a model has no figures.
    """
    _require_finite(answers.probabilities, answers.malignant)
    return together(
        diagnoses(answers),
        class_rankings(answers.labels, answers.probabilities, answers.classes),
        malignancy(answers),
        melanoma(answers),
        calibration(answers.labels, answers.probabilities),
    )


def together(*measures: Measure) -> Measure:
    """One measure that gives the figures of all."""
    return lambda weights: {
        name: value for measure in measures for name, value in measure(weights).items()
    }


def calibration(labels: Labels, probabilities: Floats) -> Measure:
    """How far probabilities `[N, C]` are from what they promise.

    `ece` is the mean gap between confidence and accuracy over bins weighted by their images
    (Naeini et al. 2015, AAAI), with the bins of equal mass of Nixon et al. 2019 (arXiv:1904.01685)
    over all images, whatever their weights. `brier` is the squared distance to the truth summed
    over classes (Brier 1950), `log_loss` in nats; a probability of 0 counts as the rounding error
    of float32.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    bins = confidence_bins(confidence)
    gaps = np.eye(bins.max(initial=0) + 1)[bins] * (confidence - correct)[:, None]
    truth = np.eye(probabilities.shape[1])[labels]
    distance = ((probabilities - truth) ** 2).sum(axis=1)
    likelihood = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    loss = -np.log(likelihood.clip(min=np.finfo(np.float32).eps))

    def measure(weights: Weights) -> Figures:
        total = weights.sum(axis=1)
        return {
            "ece": share(np.abs(weights @ gaps).sum(axis=1), total),
            "brier": share(weights @ distance, total),
            "log_loss": share(weights @ loss, total),
        }

    return measure


def _require_finite(probabilities: Floats, malignant: Floats) -> None:
    finite = np.isfinite(probabilities).all(axis=1) & np.isfinite(malignant)
    if not finite.all():
        raise ModelError(
            f"the model gave {int((~finite).sum()):,} of {len(finite):,} images a score that is "
            "not a finite number",
            "train again, with a lower `optimizer.lr`",
        )

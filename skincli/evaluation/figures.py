"""The figures of merit of N answers, each a function of how often every image counts.

A figure takes `weights [B, N]` and gives a value `[B]` for each weighting, NaN where it is not
defined: the plain figure and those of resamples are one code path.

Sensitivity, specificity and balanced accuracy follow Brodersen et al. 2010
(doi:10.1109/ICPR.2010.764), precision and F1 van Rijsbergen 1979, kappa Cohen 1960
(doi:10.1177/001316446002000104). A macro figure is the mean over the classes that define it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skincli.errors import ModelError
from skincli.evaluation.calibration import Flags, Floats, Labels, confidence_bins
from skincli.evaluation.ranking import Ranked, Ranking, Values, Weights, share
from skincli.taxonomy import ClassInfo

Figures = Mapping[str, Values]
Measure = Callable[[Weights], Figures]

CLASS_FIGURES: Final = (
    "sensitivity", "specificity", "precision", "f1", "balanced_accuracy", "auroc",
    "average_precision",
)  # fmt: skip
_KEPT: Final = (0.9, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """True `labels [N]` of N images, and what a model says of them.

    `probabilities [N, C]` are calibrated, `malignant [N]` is their sum over malignant classes,
    `decided [N]` are the diagnoses as places of `classes`; `flagged [N]` are called malignant at
    the operating point.
    """

    labels: Labels
    probabilities: Floats
    decided: NDArray[np.intp]
    malignant: Floats
    flagged: Flags
    classes: tuple[ClassInfo, ...]

    @property
    def is_malignant(self) -> Flags:
        """Which images show a malignant lesion `[N]`."""
        return np.isin(self.labels, [i for i, info in enumerate(self.classes) if info.malignant])

    @property
    def melanoma(self) -> int:
        """The class that speaks for melanoma: `mel`, or `malignant` for a binary model."""
        codes = [info.code for info in self.classes]
        return codes.index("mel" if "mel" in codes else "malignant")


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


def confusion(answers: Answers) -> Callable[[Weights], Values]:
    """Weights `[B, C, C]` of the images by true class and diagnosis."""
    n_classes = len(answers.classes)
    cells = np.eye(n_classes**2)[answers.labels * n_classes + answers.decided]
    return lambda weights: (weights @ cells).reshape(-1, n_classes, n_classes)


def diagnoses(answers: Answers) -> Measure:
    """What follows from the confusion matrix of the diagnoses."""
    count = confusion(answers)
    codes = [info.code for info in answers.classes]

    def measure(weights: Weights) -> Figures:
        table = count(weights)
        by_class = _one_against_the_rest(table)
        found = {
            f"per_class.{code}.{name}": values[:, index]
            for index, code in enumerate(codes)
            for name, values in by_class.items()
        }
        macro = {f"macro_{name}": _mean(by_class[name]) for name in ("precision", "f1")}
        overall = {"balanced_accuracy": _mean(by_class["sensitivity"])}
        overall["melanoma_sensitivity"] = by_class["sensitivity"][:, answers.melanoma]
        return _agreement(table) | overall | macro | found

    return measure


def class_rankings(labels: Labels, scores: Floats, classes: tuple[ClassInfo, ...]) -> Measure:
    """How well each column of `scores [N, C]` ranks its class above the rest."""
    rankings = [Ranking(labels == index, scores[:, index]) for index in range(len(classes))]

    def measure(weights: Weights) -> Figures:
        found = {}
        for info, ranking in zip(classes, rankings, strict=True):
            ranked = ranking.under(weights)
            found[f"per_class.{info.code}.auroc"] = ranked.auroc()
            found[f"per_class.{info.code}.average_precision"] = ranked.average_precision()
        macro = {
            f"macro_{name}": _mean(
                np.stack([found[f"per_class.{info.code}.{name}"] for info in classes], axis=1)
            )
            for name in ("auroc", "average_precision")
        }
        return macro | found

    return measure


def malignancy(answers: Answers) -> Measure:
    """Malignant against benign, by the score and at the operating point."""
    is_malignant = answers.is_malignant
    ranking = Ranking(is_malignant, answers.malignant)
    hits = (answers.flagged & is_malignant).astype(np.float64)
    rejections = (~answers.flagged & ~is_malignant).astype(np.float64)

    def measure(weights: Weights) -> Figures:
        ranked = ranking.under(weights)
        return {
            "malignant_auroc": ranked.auroc(),
            "malignant_average_precision": ranked.average_precision(),
            "malignant_sensitivity": share(weights @ hits, ranked.positives),
            "malignant_specificity": share(weights @ rejections, ranked.negatives),
            **_trade_offs("malignant", ranked),
        }

    return measure


def melanoma(answers: Answers) -> Measure:
    """Melanoma against the rest, by its probability and at the operating point of malignancy."""
    is_melanoma = answers.labels == answers.melanoma
    ranking = Ranking(is_melanoma, answers.probabilities[:, answers.melanoma])
    positives = is_melanoma.astype(np.float64)
    hits = (answers.flagged & is_melanoma).astype(np.float64)

    def measure(weights: Weights) -> Figures:
        caught = share(weights @ hits, weights @ positives)
        return {
            "melanoma_sensitivity_at_operating_point": caught,
            **_trade_offs("melanoma", ranking.under(weights)),
        }

    return measure


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


def _one_against_the_rest(table: Values) -> dict[str, Values]:
    """The figures `[B, C]` of each class of a confusion `[B, C, C]`."""
    total = table.sum(axis=(1, 2))[:, None]
    support, called = table.sum(axis=2), table.sum(axis=1)
    hits = np.diagonal(table, axis1=1, axis2=2)
    sensitivity = share(hits, support)
    specificity = share(total - support - called + hits, total - support)
    return {
        "sensitivity": sensitivity,
        "specificity": specificity,
        "precision": share(hits, called),
        "f1": share(2 * hits, support + called),
        "balanced_accuracy": (sensitivity + specificity) / 2,
    }


def _agreement(table: Values) -> dict[str, Values]:
    """Accuracy, and kappa: what of it is beyond the agreement by chance."""
    total, hits = table.sum(axis=(1, 2)), np.trace(table, axis1=1, axis2=2)
    chance = (table.sum(axis=2) * table.sum(axis=1)).sum(axis=1)
    return {
        "accuracy": share(hits, total),
        "kappa": share(total * hits - chance, total**2 - chance),
    }


def _trade_offs(prefix: str, ranked: Ranked) -> Figures:
    found = {}
    for kept in _KEPT:
        percent = round(100 * kept)
        found[f"{prefix}_sensitivity_at_{percent}_specificity"] = ranked.sensitivity_at(kept)
        found[f"{prefix}_specificity_at_{percent}_sensitivity"] = ranked.specificity_at(kept)
    return found


def _mean(values: Values) -> Values:
    """The mean `[B]` of the defined ones of `[B, C]`."""
    defined = ~np.isnan(values)
    return share(np.where(defined, values, 0).sum(axis=1), defined.sum(axis=1).astype(np.float64))


def _require_finite(probabilities: Floats, malignant: Floats) -> None:
    finite = np.isfinite(probabilities).all(axis=1) & np.isfinite(malignant)
    if not finite.all():
        raise ModelError(
            f"the model gave {int((~finite).sum()):,} of {len(finite):,} images a score that is "
            "not a finite number",
            "train again, with a lower `optimizer.lr`",
        )

"""Figures of malignant against benign, and of melanoma against the rest."""

from typing import Final

import numpy as np

from skincli.evaluation.answers import Answers
from skincli.evaluation.ranking import Figures, Measure, Ranked, Ranking, Weights, share

# What of the one is kept while the other is read off.
_KEPT: Final = (0.9, 0.95)


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


def _trade_offs(prefix: str, ranked: Ranked) -> Figures:
    found = {}
    for kept in _KEPT:
        percent = round(100 * kept)
        found[f"{prefix}_sensitivity_at_{percent}_specificity"] = ranked.sensitivity_at(kept)
        found[f"{prefix}_specificity_at_{percent}_sensitivity"] = ranked.specificity_at(kept)
    return found

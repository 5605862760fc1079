"""When a model had better not answer, and why."""

import numpy as np

from skincli.inference.engine import Flags, Scores
from skincli.inference.reasons import Reason
from skincli.taxonomy import ClassInfo


def undecided(conformal: Flags, classes: tuple[ClassInfo, ...]) -> Flags:
    """Which sets `[N]` of `conformal [N, C]` hold benign and malignant diagnoses alike."""
    malignant = np.array([info.malignant for info in classes])
    result: Flags = (conformal @ malignant) & (conformal @ ~malignant)
    return result


def abstentions(scores: Scores, classes: tuple[ClassInfo, ...]) -> list[Reason | None]:
    """For each of N images the reason not to trust the diagnosis, or None."""
    rows = zip(
        scores.novelty > 1, scores.blurred, undecided(scores.conformal, classes), strict=True
    )
    return [_reason(*map(bool, row)) for row in rows]


def _reason(novel: bool, blurred: bool, both: bool) -> Reason | None:
    if novel:
        return "blurred" if blurred else "unlike_training_images"
    return "benign_or_malignant" if both else None

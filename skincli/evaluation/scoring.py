"""A model's answers to the rows of a prepared set."""

import numpy as np
from numpy.typing import NDArray

from skincli.data import PreparedSet
from skincli.evaluation.predictions import Predictions
from skincli.inference.engine import Classifier, Scores
from skincli.progress import Progress


def score_rows(
    classifier: Classifier,
    prepared: PreparedSet,
    rows: NDArray[np.intp],
    batch_size: int,
    progress: Progress,
) -> Predictions:
    """Score `rows` (at least one) of a set prepared at the bundle's image size and crop."""
    parts: list[Scores] = []
    with progress.step("Scoring images", len(rows)) as step:
        for start in range(0, len(rows), batch_size):
            # Only the batch leaves the memory map.
            parts.append(classifier.score(prepared.images[rows[start : start + batch_size]]))
            step.advance(len(parts[-1].malignant))
    spec = classifier.spec
    malignant = np.concatenate([part.malignant for part in parts])
    return Predictions(
        samples=tuple(prepared.samples[row] for row in rows),
        labels=prepared.labels(spec.task)[rows],
        probabilities=np.concatenate([part.probabilities for part in parts]),
        decided=np.concatenate([part.decided for part in parts]),
        malignant=malignant,
        flagged=malignant >= spec.operating_point,
        conformal=np.concatenate([part.conformal for part in parts]),
        novelty=np.concatenate([part.novelty for part in parts]),
        classes=spec.classes,
    )

"""A model's answers to the rows of a prepared set."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skincli.data import PreparedSet, Sample
from skincli.evaluation.calibration import Flags, Floats, Labels
from skincli.inference.engine import Classifier, Scores
from skincli.progress import Progress
from skincli.taxonomy import ClassInfo


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """N images, their true `labels [N]`, and what the model says of them.

    `probabilities [N, C]` are calibrated, `malignant [N]` is their sum over malignant classes,
    `decided [N]` are the diagnoses as places of classes. `conformal [N, C]` are the sets,
    `novelty [N]` is above 1 out of distribution.
    """

    samples: tuple[Sample, ...]
    labels: Labels
    probabilities: Floats
    decided: NDArray[np.intp]
    malignant: Floats
    conformal: Flags
    novelty: Floats
    classes: tuple[ClassInfo, ...]
    operating_point: float

    @property
    def flagged(self) -> Flags:
        """Which images are called malignant at the operating point."""
        return self.malignant >= self.operating_point


def score_rows(
    classifier: Classifier,
    prepared: PreparedSet,
    rows: NDArray[np.intp],
    batch_size: int,
    progress: Progress,
) -> Scored:
    """Score `rows` (at least one) of a set prepared at the bundle's image size and crop."""
    parts: list[Scores] = []
    with progress.step("Scoring images", len(rows)) as step:
        for start in range(0, len(rows), batch_size):
            # Only the batch leaves the memory map.
            parts.append(classifier.score(prepared.images[rows[start : start + batch_size]]))
            step.advance(len(parts[-1].malignant))
    spec = classifier.spec
    return Scored(
        samples=tuple(prepared.samples[row] for row in rows),
        labels=prepared.labels(spec.task)[rows],
        probabilities=np.concatenate([part.probabilities for part in parts]),
        decided=np.concatenate([part.decided for part in parts]),
        malignant=np.concatenate([part.malignant for part in parts]),
        conformal=np.concatenate([part.conformal for part in parts]),
        novelty=np.concatenate([part.novelty for part in parts]),
        classes=spec.classes,
        operating_point=spec.operating_point,
    )

"""A model's answers to the rows of a prepared set."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skincli.bundle import Bundle
from skincli.config.operating import InferenceConfig
from skincli.data import PreparedSet, Sample
from skincli.evaluation.calibration import Flags, Floats, Labels
from skincli.inference.engine import Classifier
from skincli.progress import Progress
from skincli.taxonomy import ClassInfo


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """N images, their true `labels [N]`, and what the model says of them.

    `probabilities [N, C]` are calibrated, `malignant [N]` is their sum over malignant classes,
    `decided [N]` are the diagnoses as places of classes.
    """

    samples: tuple[Sample, ...]
    labels: Labels
    probabilities: Floats
    decided: NDArray[np.intp]
    malignant: Floats
    classes: tuple[ClassInfo, ...]
    operating_point: float

    @property
    def flagged(self) -> Flags:
        """Which images are called malignant at the operating point."""
        return self.malignant >= self.operating_point


def score_rows(
    bundle: Bundle,
    prepared: PreparedSet,
    rows: NDArray[np.intp],
    settings: InferenceConfig,
    progress: Progress,
) -> Scored:
    """Score `rows` (at least one) of a set prepared at the bundle's image size and crop."""
    classifier = Classifier(bundle, settings.threads)
    probabilities, decided, malignant = [], [], []
    with progress.step("Scoring images", len(rows)) as step:
        for start in range(0, len(rows), settings.batch_size):
            # Only the batch leaves the memory map.
            scores = classifier.score(prepared.images[rows[start : start + settings.batch_size]])
            probabilities.append(scores.probabilities)
            decided.append(scores.decided)
            malignant.append(scores.malignant)
            step.advance(len(scores.malignant))
    return Scored(
        samples=tuple(prepared.samples[row] for row in rows),
        labels=prepared.labels(bundle.spec.task)[rows],
        probabilities=np.concatenate(probabilities),
        decided=np.concatenate(decided),
        malignant=np.concatenate(malignant),
        classes=bundle.spec.classes,
        operating_point=bundle.spec.operating_point,
    )

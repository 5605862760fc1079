"""The images that tell most about a model, with where it looked."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skincli.data import PreparedSet
from skincli.evaluation.calibration import Flags, Floats
from skincli.evaluation.predictions import Predictions
from skincli.imaging import Pixels
from skincli.inference.engine import Classifier
from skincli.inference.heatmap import overlay

_OF_A_KIND: Final = 8
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exhibit:
    """One image as the network saw it, uint8 `[S, S, 3]`, and with the heat map of its diagnosis.

    `probability` is that of the diagnosis, `malignant` the score that is held against the
    operating point.
    """

    kind: str
    image_id: str
    truth: str
    diagnosis: str
    probability: float
    malignant: float
    image: Pixels
    heat_map: Pixels

    @property
    def caption(self) -> str:
        return (
            f"{self.image_id}: is {self.truth}, called {self.diagnosis} ({self.probability:.0%}); "
            f"malignant {self.malignant:.0%}"
        )


def choose_exhibits(
    predictions: Predictions, classifier: Classifier, prepared: PreparedSet, rows: Rows
) -> tuple[Exhibit, ...]:
    """Some of `rows [N]`, which `predictions` are about; one image per lesion in each kind."""
    codes = [info.code for info in predictions.classes]
    found = []
    for kind, chosen in _kinds(predictions).items():
        if not len(chosen):
            continue
        images = prepared.images[rows[chosen]]
        scores = classifier.score(images)
        for place, index in enumerate(chosen.tolist()):
            label, decided = predictions.labels[index], predictions.decided[index]
            found.append(
                Exhibit(
                    kind=kind,
                    image_id=predictions.samples[index].image_id,
                    truth=codes[label],
                    diagnosis=codes[decided],
                    probability=float(predictions.probabilities[index, decided]),
                    malignant=float(predictions.malignant[index]),
                    image=images[place],
                    heat_map=overlay(images[place], scores.cam[place, decided]),
                )
            )
    return tuple(found)


def _kinds(predictions: Predictions) -> dict[str, Rows]:
    sure = predictions.probabilities[np.arange(len(predictions.labels)), predictions.decided]
    right = predictions.decided == predictions.labels
    missed = predictions.is_malignant & ~predictions.flagged
    return {
        "Worst mistakes: malignant, and called benign": _foremost(
            predictions, missed, predictions.malignant
        ),
        "Wrong otherwise, and sure of it": _foremost(predictions, ~right & ~missed, -sure),
        "Right, and sure of it": _foremost(predictions, right, -sure),
    }


def _foremost(predictions: Predictions, among: Flags, rank: Floats) -> Rows:
    """The lowest of `rank [N]` among some images, each of another lesion."""
    order = np.argsort(rank, kind="stable")
    kept: dict[str, int] = {}
    for row in order[among[order]].tolist():
        kept.setdefault(predictions.samples[row].lesion_id, row)
        if len(kept) == _OF_A_KIND:
            break
    return np.array(list(kept.values()), dtype=np.intp)

"""What a model says of images whose truth is known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skincli.evaluation.calibration import Flags, Floats, Labels
from skincli.taxonomy import ClassInfo


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

"""What `predict` says, of each image and in all, whether asked here or at a server."""

from dataclasses import dataclass
from pathlib import Path

from skincli.inference.reasons import Reason
from skincli.taxonomy import ClassInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionRow:
    """What the model says of one image; all None but `path` and `error` when it has an error.

    `malignant` is the decision at the model's operating point. `conformal_set` holds the codes of
    the diagnoses that may well be true. Where the model had better not answer, `abstain` says why;
    `novelty` is above 1 where the image is out of distribution.
    """

    path: Path
    code: str | None = None
    name: str | None = None
    probability: float | None = None
    malignant_probability: float | None = None
    malignant: bool | None = None
    probabilities: dict[str, float] | None = None
    conformal_set: tuple[str, ...] | None = None
    novelty: float | None = None
    out_of_distribution: bool | None = None
    abstain: Reason | None = None
    heatmap: Path | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictResult:
    """`synthetic` means that the model has only ever learnt from drawn images."""

    rows: tuple[PredictionRow, ...]
    model: str
    version: str | None
    bundle_digest: str
    synthetic: bool
    classes: tuple[ClassInfo, ...]
    operating_point: float

    @property
    def n_errors(self) -> int:
        return sum(row.error is not None for row in self.rows)

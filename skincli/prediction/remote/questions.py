"""All images put to the server, each once, and again where its model changed meanwhile."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from threading import Event
from typing import Final

from skincli import patience
from skincli.crew import work_through
from skincli.errors import ImageError, SkincliError
from skincli.imaging import Limits
from skincli.prediction.heatmaps import HeatmapFolder
from skincli.prediction.reading import read_bytes
from skincli.prediction.remote.answers import (
    RemoteAnswer,
    RemoteModel,
    RemotePrediction,
    UnusableAnswer,
    checked,
    drawn_of,
    require_classes,
)
from skincli.prediction.remote.asking import Asker
from skincli.prediction.remote.sending import ImageRefused
from skincli.prediction.rows import PredictionRow
from skincli.progress import Step

# How often the server may change its model while it is asked, before that is an error.
_CHANGES: Final = 10


class Questions:
    """What was asked and answered so far, by image. Threads write to keys of their own."""

    def __init__(
        self, asker: Asker, limits: Limits, heatmaps: HeatmapFolder | None, step: Step
    ) -> None:
        self._asker = asker
        self._limits = limits
        self._heatmaps = heatmaps
        self._step = step
        self._rows: dict[Path, PredictionRow] = {}
        self._digest = ""
        self._changed = False

    def ask_all(
        self, images: Sequence[Path], parallel: int, stop: Event
    ) -> tuple[RemoteModel, tuple[PredictionRow, ...]]:
        """The model, and a row per image, all of this one model: a table of two would mislead.

        Raises SkincliError.
        """
        for _ in range(_CHANGES):
            model = checked(RemoteModel, self._asker.get("v1/model"))
            self._begin(model)
            waiting = [image for image in images if image not in self._rows]
            self._ask_each(waiting, model, parallel, stop)
            if not self._changed:
                return model, tuple(self._rows[image] for image in images)
            # Processes of one server change within moments of each other, not at once.
            stop.wait(patience.PATIENCE.first)
        raise SkincliError(
            "the server changed its model again and again while it was asked",
            "run the same command again",
        )

    def _begin(self, model: RemoteModel) -> None:
        """Forget what another model said."""
        self._changed = False
        if model.digest != self._digest:
            kept = {image: row for image, row in self._rows.items() if row.error is not None}
            self._step.advance(len(kept) - len(self._rows))
            self._rows, self._digest = kept, model.digest

    def _ask_each(
        self, images: Sequence[Path], model: RemoteModel, parallel: int, stop: Event
    ) -> None:
        work_through(images, parallel, lambda _: nullcontext(model), self._ask, stop)

    def _ask(self, image: Path, model: RemoteModel) -> None:
        if self._changed:
            return
        try:
            row = self._answered(image, model)
        except OSError as error:
            row = _failed(image, f"the file cannot be read: {error.strerror}")
        except (ImageError, UnusableAnswer) as error:
            row = _failed(image, error.message)
        except ImageRefused as refusal:
            row = _failed(image, str(refusal))
        if row is None:
            self._changed = True
            return
        self._rows[image] = row
        self._step.advance(1)

    def _answered(self, image: Path, model: RemoteModel) -> PredictionRow | None:
        """The row of an image; None where another model answered."""
        data = read_bytes(image, self._limits)
        path = "v1/predict?heatmap=true" if self._heatmaps else "v1/predict"
        answer = checked(RemoteAnswer, self._asker.post(path, data))
        if answer.model.digest != model.digest:
            return None
        prediction = answer.prediction
        require_classes(prediction, model)
        saved = None
        if self._heatmaps:
            saved = self._heatmaps.write(image, drawn_of(prediction))
        return _row(image, prediction, saved)


def _failed(image: Path, why: str) -> PredictionRow:
    return PredictionRow(path=image, error=why)


def _row(image: Path, told: RemotePrediction, heatmap: Path | None) -> PredictionRow:
    return PredictionRow(
        path=image,
        code=told.diagnosis.code,
        name=told.diagnosis.name,
        probability=told.probabilities[told.diagnosis.code],
        malignant_probability=told.malignant_probability,
        malignant=told.malignant,
        probabilities=told.probabilities,
        conformal_set=told.conformal_set,
        novelty=told.novelty,
        out_of_distribution=told.out_of_distribution,
        abstain=told.abstain_reason,
        heatmap=heatmap,
    )

"""All images put to the server, each once, and again where its model changed meanwhile."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

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
_CHANGES: Final = 3


@dataclass(frozen=True, slots=True)
class _Answered:
    """A row, and the digest of the model that it is of; None where it is of none."""

    row: PredictionRow
    digest: str | None = None


class Questions:
    """What was asked and answered so far, by image. Threads write to keys of their own."""

    def __init__(
        self, asker: Asker, limits: Limits, heatmaps: HeatmapFolder | None, step: Step
    ) -> None:
        self._asker = asker
        self._limits = limits
        self._heatmaps = heatmaps
        self._step = step
        self._answers: dict[Path, _Answered] = {}

    def ask_all(
        self, images: Sequence[Path], parallel: int, stop: Event
    ) -> tuple[RemoteModel, tuple[PredictionRow, ...]]:
        """The model, and a row per image, all of this one model: a table of two would mislead.

        Raises SkincliError.
        """
        model = self._model()
        for _ in range(_CHANGES):
            waiting = [image for image in images if not self._is_of(image, model)]
            self._ask_once(waiting, model, parallel, stop)
            if all(self._is_of(image, model) for image in images):
                return model, tuple(self._answers[image].row for image in images)
            model = self._model()
        raise SkincliError(
            "the server changed its model again and again while it was asked",
            "run the same command again",
        )

    def _ask_once(
        self, images: Sequence[Path], model: RemoteModel, parallel: int, stop: Event
    ) -> None:
        self._step.advance(-sum(image in self._answers for image in images))
        work_through(images, parallel, lambda _: nullcontext(model), self._ask, stop)

    def _model(self) -> RemoteModel:
        return checked(RemoteModel, self._asker.get("v1/model"))

    def _is_of(self, image: Path, model: RemoteModel) -> bool:
        answered = self._answers.get(image)
        return answered is not None and answered.digest in (None, model.digest)

    def _ask(self, image: Path, model: RemoteModel) -> None:
        try:
            self._answers[image] = self._answered(image, model)
        except OSError as error:
            self._fail(image, f"the file cannot be read: {error.strerror}")
        except (ImageError, UnusableAnswer) as error:
            self._fail(image, error.message)
        except ImageRefused as refusal:
            self._fail(image, str(refusal))
        self._step.advance(1)

    def _answered(self, image: Path, model: RemoteModel) -> _Answered:
        data = read_bytes(image, self._limits)
        path = "v1/predict?heatmap=true" if self._heatmaps else "v1/predict"
        answer = checked(RemoteAnswer, self._asker.post(path, data))
        if answer.model.digest != model.digest:
            return _Answered(PredictionRow(path=image), answer.model.digest)
        prediction = answer.prediction
        require_classes(prediction, model)
        saved = None
        if self._heatmaps:
            saved = self._heatmaps.write(image, drawn_of(prediction))
        return _Answered(_row(image, prediction, saved), model.digest)

    def _fail(self, image: Path, why: str) -> None:
        self._answers[image] = _Answered(PredictionRow(path=image, error=why))


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

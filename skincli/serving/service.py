"""What one process of the service is made of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from skincli.serving.errors import Problem
from skincli.serving.journal import ServiceJournal
from skincli.serving.meters import ServiceMeters
from skincli.serving.model import ServedModel, Upload
from skincli.serving.schemas import ModelName, Prediction
from skincli.serving.served import Served
from skincli.serving.threads import InferenceThreads


@dataclass(slots=True)
class Running:
    """What there is only while the server runs."""

    threads: InferenceThreads
    journal: ServiceJournal


@dataclass(slots=True)
class Service:
    meters: ServiceMeters
    served: Served = field(default_factory=Served)
    running: Running | None = None

    @property
    def model(self) -> ServedModel:
        """The model that is served now. Raises Problem where there is none yet."""
        if self.served.model is None:
            detail = "the model is not loaded"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, "not_ready", retry_after=1)
        return self.served.model

    @property
    def journal(self) -> ServiceJournal:
        return self._now_running().journal

    async def predict(self, uploads: Sequence[Upload]) -> tuple[ModelName, list[Prediction]]:
        """Which model answered, and what, per image in order. Raises Problem."""
        model, running = self.model, self._now_running()
        answers = await running.threads.answer(model, uploads)
        for answer in answers:
            self.meters.count(answer.prediction)
            running.journal.record(model.name, answer)
        return model.name, [answer.prediction for answer in answers]

    def _now_running(self) -> Running:
        assert self.running is not None  # a model was found, hence the server has started
        return self.running

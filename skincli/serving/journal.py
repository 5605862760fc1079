"""Between the service and the journal: an answer becomes a line, unless the journal is off."""

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from anyio import CapacityLimiter, to_thread

from skincli.config.operating import NO_STORE
from skincli.config.serving import JournalConfig
from skincli.errors import SkincliError
from skincli.journal import Feedback, JournalWriter, PredictionEntry
from skincli.serving.errors import Problem
from skincli.serving.model import Answer
from skincli.serving.schemas import FeedbackGiven, FeedbackTaken, ModelName

_FEEDBACK_TOGETHER: Final = 4


class ServiceJournal:
    """The journal of a running service. Raises SkincliError when it cannot be opened."""

    def __init__(self, config: JournalConfig, lost: Callable[[int], None]) -> None:
        """`lost` is told how many predictions the journal could not keep."""
        self._keep_images = config.keep_images
        # Apart from the threads that receive images: these may wait for a database.
        self._few = CapacityLimiter(_FEEDBACK_TOGETHER)
        off = config.uri == NO_STORE
        self._writer = None if off else JournalWriter(config.uri, config.keep_days, lost)

    def record(self, model: ModelName, answer: Answer) -> None:
        if self._writer:
            self._writer.record(self._entry(model, answer))

    async def give_feedback(self, given: FeedbackGiven) -> FeedbackTaken:
        """Raises Problem for a prediction that is not in the journal, or when there is none."""
        if self._writer is None:
            raise Problem(HTTPStatus.NOT_FOUND, "this service keeps no journal", "no_journal")
        found = Feedback(prediction_id=given.prediction_id, time=_now(), diagnosis=given.diagnosis)
        try:
            known = await to_thread.run_sync(self._writer.give_feedback, found, limiter=self._few)
        except SkincliError:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "the journal is away: try again", "journal_away"
            ) from None
        if not known:
            raise Problem(
                HTTPStatus.NOT_FOUND,
                f"there is no prediction {given.prediction_id}",
                "unknown_prediction",
            )
        return FeedbackTaken(prediction_id=given.prediction_id)

    def close(self) -> None:
        if self._writer:
            self._writer.close()

    def _entry(self, model: ModelName, answer: Answer) -> PredictionEntry:
        told, seen = answer.prediction, answer.statistics
        return PredictionEntry(
            id=told.id,
            time=_now(),
            model_name=model.name,
            model_version=model.version,
            bundle_digest=model.digest,
            diagnosis=told.diagnosis.code,
            probabilities=told.probabilities,
            malignant_probability=told.malignant_probability,
            malignant=told.malignant,
            conformal_set=tuple(told.conformal_set),
            novelty=told.novelty,
            abstain_reason=told.abstain_reason,
            brightness=seen.brightness,
            contrast=seen.contrast,
            sharpness=seen.sharpness,
            perceptual_hash=seen.perceptual_hash,
            image=answer.data if self._keep_images else None,
        )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)

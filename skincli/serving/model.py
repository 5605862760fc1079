"""The model that is served: asking it about uploaded images."""

import base64
import io
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress
from typing import Any, BinaryIO, Literal, TypeVar

import numpy as np
from PIL import Image

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.errors import ImageError
from skincli.imaging import Limits, Pixels, read_input, read_picture
from skincli.inference.abstaining import abstentions
from skincli.inference.engine import Scores
from skincli.inference.heatmap import overlay
from skincli.inference.selftest import checked_classifier
from skincli.journal.statistics import ImageStatistics, statistics_of
from skincli.serving.errors import image_problem
from skincli.serving.schemas import Diagnosis, ModelName, Prediction, Timings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Upload:
    """An image as it came. `sent` is when it began to wait, by `time.perf_counter`."""

    name: str
    file: BinaryIO
    heatmap: bool
    sent: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent, what the network's input was like, and the file's bytes."""

    prediction: Prediction
    statistics: ImageStatistics
    data: bytes


@dataclass(frozen=True, slots=True)
class _Decoded:
    upload: Upload
    data: bytes
    pixels: Pixels
    began: float
    ended: float


class ServedModel:
    """A verified bundle that passed its self-test, and its name. Raises ModelError if not.

    Safe to share by threads. The network takes one thread: more of them within one image would
    only wait for each other.
    """

    def __init__(self, bundle: Bundle, name: ModelName, config: Config) -> None:
        self.name = name
        self.spec = bundle.spec
        self._classifier = checked_classifier(bundle, threads=1)
        self.provider = self._classifier.provider
        self._limits = Limits.of(config.image)

    def answer(self, uploads: Sequence[Upload]) -> list[Answer | Exception]:
        """An answer per image, or why there is none; the network sees the good ones at once."""
        decoded = [_or_error(partial(self._decode, upload)) for upload in uploads]
        good = [image for image in decoded if isinstance(image, _Decoded)]
        if not good:
            return [error for error in decoded if isinstance(error, Exception)]
        began = time.perf_counter()
        scores = self._classifier.score(np.stack([image.pixels for image in good]))
        network_ms = 1000 * (time.perf_counter() - began)
        reasons = abstentions(scores, self.spec.classes)
        answers = iter(
            _or_error(partial(self._answer, image, scores, row, reasons[row], network_ms))
            for row, image in enumerate(good)
        )
        return [next(answers) if isinstance(i, _Decoded) else i for i in decoded]

    def _decode(self, upload: Upload) -> _Decoded:
        data = upload.file.read()
        began = time.perf_counter()
        try:
            pixels = read_input(data, self.spec.image_size, self.spec.crop, self._limits)
        except ImageError as error:
            raise image_problem(upload.name, error) from None
        return _Decoded(upload, data, pixels, began, time.perf_counter())

    def _answer(
        self, image: _Decoded, scores: Scores, row: int, reason: Any, network_ms: float
    ) -> Answer:
        timings = Timings(
            queue_ms=1000 * (image.began - image.upload.sent),
            decode_ms=1000 * (image.ended - image.began),
            network_ms=network_ms,
        )
        prediction = Prediction(
            id=uuid.uuid4().hex,
            filename=image.upload.name,
            **self._told(scores, row),
            abstain=reason is not None,
            abstain_reason=reason,
            **(self._shown(image.data, scores, row) if image.upload.heatmap else {}),
            timings=timings,
        )
        return Answer(prediction, statistics_of(image.pixels), image.data)

    def _told(self, scores: Scores, row: int) -> dict[str, Any]:
        """What `Prediction` says of one image of `scores`."""
        classes = self.spec.classes
        codes, top = [info.code for info in classes], classes[int(scores.decided[row])]
        return {
            "diagnosis": Diagnosis(code=top.code, name=top.name),
            "probabilities": dict(zip(codes, scores.probabilities[row].tolist(), strict=True)),
            "malignant_probability": float(scores.malignant[row]),
            "malignant": bool(scores.malignant[row] >= self.spec.operating_point),
            "conformal_set": list(compress(codes, scores.conformal[row])),
            "novelty": float(scores.novelty[row]),
            "out_of_distribution": bool(scores.novelty[row] > 1),
        }

    def _shown(self, data: bytes, scores: Scores, row: int) -> dict[str, Any]:
        """The region that the network saw, and where in it the evidence for the diagnosis lies."""
        picture = read_picture(data, self.spec.image_size, self.spec.crop, self._limits)
        drawn = overlay(picture, np.asarray(scores.cam[row, int(scores.decided[row])]))
        return {"picture": _data_url(picture, "JPEG"), "heatmap": _data_url(drawn, "PNG")}


def _or_error(work: Callable[[], T]) -> T | Exception:
    """What is wrong with one image, whatever it is, is the business of its own request only."""
    try:
        return work()
    except Exception as error:
        return error


def _data_url(pixels: Pixels, format_name: Literal["JPEG", "PNG"]) -> str:
    file = io.BytesIO()
    # `quality` is for JPEG, whose default shows blocks where colours are even, as on skin.
    Image.fromarray(pixels).save(file, format=format_name, quality=90)
    encoded = base64.b64encode(file.getvalue()).decode()
    return f"data:image/{format_name.lower()};base64,{encoded}"

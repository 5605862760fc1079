"""The model that is served: loading it, testing it, and asking it about uploaded images."""

import asyncio
import base64
import io
import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Literal

import numpy as np
from anyio import CapacityLimiter, to_thread
from fastapi import UploadFile
from PIL import Image

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.errors import ImageError
from skincli.imaging import Limits, Pixels, read_input, read_picture
from skincli.inference.abstaining import abstentions
from skincli.inference.engine import Scores
from skincli.inference.heatmap import overlay
from skincli.inference.selftest import checked_classifier
from skincli.serving.errors import image_problem
from skincli.serving.schemas import Diagnosis, ModelName, Prediction, Timings


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent, and what it was made from: the network's input and the file's bytes."""

    prediction: Prediction
    pixels: Pixels
    data: bytes


class ServedModel:
    """A verified bundle that passed its self-test, and its name. Raises ModelError if not.

    An image is decoded and scored in one thread, as many images at once as there are threads:
    decoding and ONNX Runtime let go of the interpreter, and more threads within one network would
    only wait for each other.
    """

    def __init__(self, bundle: Bundle, name: ModelName, config: Config) -> None:
        self.name = name
        self.spec = bundle.spec
        self._classifier = checked_classifier(bundle, threads=1)
        self._limits = Limits.of(config.image)
        self._slots = CapacityLimiter(config.serve.threads or len(os.sched_getaffinity(0)))

    async def predict(self, uploads: Sequence[UploadFile], heatmap: bool = False) -> list[Answer]:
        """One answer per upload. Raises Problem naming a bad image."""
        return await asyncio.gather(
            *(
                to_thread.run_sync(self._answer, number, upload, heatmap, limiter=self._slots)
                for number, upload in enumerate(uploads, start=1)
            )
        )

    def _answer(self, number: int, upload: UploadFile, heatmap: bool) -> Answer:
        name, data = upload.filename or f"image {number}", upload.file.read()
        began = time.perf_counter()
        pixels = self._read(name, data)
        decoded = time.perf_counter()
        scores = self._classifier.score(pixels[None])
        scored = time.perf_counter()
        prediction = Prediction(
            id=uuid.uuid4().hex,
            filename=name,
            **self._told(scores),
            **(self._shown(data, scores) if heatmap else {}),
            timings=Timings(
                decode_ms=1000 * (decoded - began), network_ms=1000 * (scored - decoded)
            ),
        )
        return Answer(prediction, pixels, data)

    def _read(self, name: str, data: bytes) -> Pixels:
        try:
            return read_input(data, self.spec.image_size, self.spec.crop, self._limits)
        except ImageError as error:
            raise image_problem(name, error) from None

    def _told(self, scores: Scores) -> dict[str, Any]:
        """What `Prediction` says of the one image of `scores`."""
        classes = self.spec.classes
        codes, top = [info.code for info in classes], classes[int(scores.decided[0])]
        [reason] = abstentions(scores, classes)
        return {
            "diagnosis": Diagnosis(code=top.code, name=top.name),
            "probabilities": dict(zip(codes, scores.probabilities[0].tolist(), strict=True)),
            "malignant_probability": float(scores.malignant[0]),
            "malignant": bool(scores.malignant[0] >= self.spec.operating_point),
            "conformal_set": list(compress(codes, scores.conformal[0])),
            "novelty": float(scores.novelty[0]),
            "out_of_distribution": bool(scores.novelty[0] > 1),
            "abstain": reason is not None,
            "abstain_reason": reason,
        }

    def _shown(self, data: bytes, scores: Scores) -> dict[str, Any]:
        """The region that the network saw, and where in it the evidence for the diagnosis lies."""
        picture = read_picture(data, self.spec.image_size, self.spec.crop, self._limits)
        drawn = overlay(picture, np.asarray(scores.cam[0, int(scores.decided[0])]))
        return {"picture": _data_url(picture, "JPEG"), "heatmap": _data_url(drawn, "PNG")}


def _data_url(pixels: Pixels, format_name: Literal["JPEG", "PNG"]) -> str:
    file = io.BytesIO()
    # `quality` is for JPEG, whose default shows blocks where colours are even, as on skin.
    Image.fromarray(pixels).save(file, format=format_name, quality=90)
    encoded = base64.b64encode(file.getvalue()).decode()
    return f"data:image/{format_name.lower()};base64,{encoded}"


def load_model(config: Config) -> ServedModel:
    """The model that the config asks for, tested. Raises SkincliError."""
    from skincli.tracking.resolve import resolve

    registry = config.registry
    wanted = config.serve.model or f"models:/{registry.name}@{registry.alias}"
    found = resolve(config, wanted)
    # Outside the registry the name may be a path, which is no client's business.
    title = found.name if found.version else found.bundle.spec.lineage.run_name
    name = ModelName(name=title, version=found.version, digest=found.bundle.digest)
    return ServedModel(found.bundle, name, config)

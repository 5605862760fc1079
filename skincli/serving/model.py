"""The model that is served: loading it, testing it, and asking it about uploaded images."""

import os
from collections.abc import Iterator, Sequence
from itertools import chain, compress
from typing import Any

import numpy as np
from anyio import CapacityLimiter, to_thread
from fastapi import UploadFile

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.errors import ImageError
from skincli.imaging import Limits, Pixels, read_input
from skincli.inference.abstaining import abstentions
from skincli.inference.engine import Scores
from skincli.inference.selftest import checked_classifier
from skincli.serving.errors import image_problem
from skincli.serving.schemas import Diagnosis, ModelName, Prediction


class ServedModel:
    """A verified bundle that passed its self-test, and its name. Raises ModelError if not."""

    def __init__(self, bundle: Bundle, name: ModelName, config: Config) -> None:
        self.name = name
        self.spec = bundle.spec
        self._classifier = checked_classifier(bundle, config.inference.threads)
        self._limits = Limits.of(config.image)
        self._batch_size = config.inference.batch_size
        # As many at once as there are cores: more would not be faster, only hold more pixels.
        self._slots = CapacityLimiter(len(os.sched_getaffinity(0)))

    async def predict(self, uploads: Sequence[UploadFile]) -> list[Prediction]:
        """One prediction per upload, made in a thread. Raises Problem naming a bad image."""
        return await to_thread.run_sync(self._predict, uploads, limiter=self._slots)

    def _predict(self, uploads: Sequence[UploadFile]) -> list[Prediction]:
        names = [upload.filename or f"image {n}" for n, upload in enumerate(uploads, start=1)]
        images = np.stack([self._read(*pair) for pair in zip(names, uploads, strict=True)])
        batches = self._classifier.score_batches(images, self._batch_size)
        answers = chain.from_iterable(self._answers(scores) for scores in batches)
        return [Prediction(filename=n, **a) for n, a in zip(names, answers, strict=True)]

    def _read(self, name: str, upload: UploadFile) -> Pixels:
        try:
            return read_input(
                upload.file.read(), self.spec.image_size, self.spec.crop, self._limits
            )
        except ImageError as error:
            raise image_problem(name, error) from None

    def _answers(self, scores: Scores) -> Iterator[dict[str, Any]]:
        """The fields of `Prediction`, but for the name, of every image of a batch."""
        codes = [info.code for info in self.spec.classes]
        for row, abstain in enumerate(abstentions(scores, self.spec.classes)):
            top = self.spec.classes[int(scores.decided[row])]
            yield {
                "diagnosis": Diagnosis(code=top.code, name=top.name),
                "probabilities": dict(zip(codes, scores.probabilities[row].tolist(), strict=True)),
                "malignant_probability": float(scores.malignant[row]),
                "malignant": bool(scores.malignant[row] >= self.spec.operating_point),
                "conformal_set": list(compress(codes, scores.conformal[row])),
                "novelty": float(scores.novelty[row]),
                "out_of_distribution": bool(scores.novelty[row] > 1),
                "abstain": abstain is not None,
                "abstain_reason": abstain,
            }


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

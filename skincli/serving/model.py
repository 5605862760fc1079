"""The model that is served: loading it, testing it, and asking it about uploaded images."""

import os
from collections.abc import Sequence
from itertools import chain
from typing import Final

import numpy as np
from anyio import CapacityLimiter, to_thread
from fastapi import UploadFile

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.errors import ImageError, ModelError
from skincli.imaging import Limits, Pixels, read_input
from skincli.inference.engine import Classifier, Floats
from skincli.serving.errors import image_problem
from skincli.serving.schemas import Diagnosis, ModelName, Prediction

_SUM_TOLERANCE: Final = 1e-3


class ServedModel:
    """A verified bundle and the name it goes by, ready for requests."""

    def __init__(self, bundle: Bundle, name: ModelName, config: Config) -> None:
        self.name = name
        self.spec = bundle.spec
        self._classifier = Classifier(bundle, config.inference.threads)
        self._limits = Limits.of(config.image)
        self._batch_size = config.inference.batch_size
        # As many at once as there are cores: more would not be faster, only hold more pixels.
        self._slots = CapacityLimiter(len(os.sched_getaffinity(0)))

    def check(self) -> None:
        """Ask about one blank image. Raises ModelError if the answer is no distribution."""
        blank = np.zeros((1, self.spec.image_size, self.spec.image_size, 3), dtype=np.uint8)
        try:
            probabilities = self._classifier.score(blank).probabilities
        except Exception as error:  # ONNX Runtime's own exceptions share no base but Exception
            raise ModelError(f"the model `{self.name.name}` cannot be run: {error}") from None
        total = float(probabilities.sum())
        expected = (1, len(self.spec.classes))
        # A total that is not a number fails the comparison too.
        if probabilities.shape != expected or not abs(total - 1) <= _SUM_TOLERANCE:
            raise ModelError(
                f"the model `{self.name.name}` failed its self-test: probabilities of shape "
                f"{probabilities.shape} that sum to {total}, expected {expected} and 1",
                "serve another version, or train again",
            )

    async def predict(self, uploads: Sequence[UploadFile]) -> list[Prediction]:
        """One prediction per upload, made in a thread. Raises Problem naming a bad image."""
        return await to_thread.run_sync(self._predict, uploads, limiter=self._slots)

    def _predict(self, uploads: Sequence[UploadFile]) -> list[Prediction]:
        names = [upload.filename or f"image {n}" for n, upload in enumerate(uploads, start=1)]
        images = np.stack([self._read(*pair) for pair in zip(names, uploads, strict=True)])
        batches = self._classifier.score_batches(images, self._batch_size)
        rows = chain.from_iterable(zip(s.probabilities, s.malignant, strict=True) for s in batches)
        return [self._describe(name, *row) for name, row in zip(names, rows, strict=True)]

    def _read(self, name: str, upload: UploadFile) -> Pixels:
        try:
            return read_input(
                upload.file.read(), self.spec.image_size, self.spec.crop, self._limits
            )
        except ImageError as error:
            raise image_problem(name, error) from None

    def _describe(self, filename: str, probabilities: Floats, malignant: np.float32) -> Prediction:
        top = self.spec.classes[int(probabilities.argmax())]
        codes = (info.code for info in self.spec.classes)
        return Prediction(
            filename=filename,
            diagnosis=Diagnosis(code=top.code, name=top.name),
            probabilities=dict(zip(codes, probabilities.tolist(), strict=True)),
            malignant_probability=float(malignant),
            malignant=bool(malignant >= self.spec.operating_point),
        )


def load_model(config: Config) -> ServedModel:
    """The model that the config asks for, tested. Raises SkincliError."""
    from skincli.tracking.resolve import resolve

    registry = config.registry
    wanted = config.serve.model or f"models:/{registry.name}@{registry.alias}"
    found = resolve(config, wanted)
    # Outside the registry the name may be a path, which is no client's business.
    title = found.name if found.version else found.bundle.spec.lineage.run_name
    name = ModelName(name=title, version=found.version, digest=found.bundle.digest)
    model = ServedModel(found.bundle, name, config)
    model.check()
    return model

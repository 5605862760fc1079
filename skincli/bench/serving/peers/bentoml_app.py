"""BentoML with as many workers as cores: `bentoml serve bentoml_app:Classifier`."""

from pathlib import Path

import bentoml
from engines import WORKERS, load


@bentoml.service(workers=WORKERS)
class Classifier:
    def __init__(self) -> None:
        self.model = load()

    @bentoml.api
    def predict(self, image: Path) -> dict[str, list[float]]:
        return {"logits": self.model(image.read_bytes())}

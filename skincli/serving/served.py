"""What is served right now."""

from dataclasses import dataclass

from skincli.serving.model import ServedModel


@dataclass(slots=True)
class Served:
    """The model, None until one is loaded and tested; `registry` says how its registry is."""

    model: ServedModel | None = None
    registry: str = "not followed"

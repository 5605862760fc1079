"""What is served right now."""

from dataclasses import dataclass, field

from skincli.serving.model import ServedModel


@dataclass(slots=True)
class Served:
    """The model, None until one is loaded and tested; `registry` says how its registry is, and
    `metrics` are those that the registry knows of it."""

    model: ServedModel | None = None
    registry: str = "not followed"
    metrics: dict[str, float] = field(default_factory=dict)

"""One model for the life of the process, found by this process itself: for development."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from anyio import to_thread

from skincli.config.schema import Config
from skincli.serving.following.pointer import wanted_model
from skincli.serving.meters import ServiceMeters
from skincli.serving.model import ServedModel
from skincli.serving.schemas import ModelName
from skincli.serving.served import Served


class FixedModel:
    """The model that `load` finds when the server starts. It may raise SkincliError."""

    def __init__(self, load: Callable[[], ServedModel], meters: ServiceMeters) -> None:
        self._load = load
        self._meters = meters

    @asynccontextmanager
    async def serving(self, served: Served) -> AsyncIterator[None]:
        served.model = model = await to_thread.run_sync(self._load)
        self._meters.serve(model.name)
        yield


def load_model(config: Config) -> ServedModel:
    """The model that the config asks for, tested. Raises SkincliError."""
    from skincli.tracking.resolve import resolve

    found = resolve(config, wanted_model(config))
    # Outside the registry the name may be a path, which is no client's business.
    title = found.name if found.version else found.bundle.spec.lineage.run_name
    name = ModelName(name=title, version=found.version, digest=found.bundle.digest)
    return ServedModel(found.bundle, name, config)

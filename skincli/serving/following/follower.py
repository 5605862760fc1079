"""In a worker: reading the pointer, and swapping the model between two requests."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from anyio import to_thread

from skincli.bundle import open_bundle
from skincli.config.schema import Config
from skincli.errors import ModelError
from skincli.serving.following.pointer import (
    Pointer,
    is_registered,
    read_pointer,
    wanted_model,
)
from skincli.serving.meters import ServiceMeters
from skincli.serving.model import ServedModel
from skincli.serving.schemas import ModelName
from skincli.serving.served import Served

_GLANCE_SECONDS: Final = 0.2
_log = logging.getLogger("uvicorn.error")  # the server's own log, which uvicorn sets up


class Follower:
    """Keeps the served model that of the pointer; a request ends with the model it began with."""

    def __init__(self, config: Config, file: Path, meters: ServiceMeters) -> None:
        self._config = config
        self._file = file
        self._meters = meters
        self._stamp = 0
        self._fault = ""

    @asynccontextmanager
    async def serving(self, served: Served) -> AsyncIterator[None]:
        task = asyncio.create_task(self._follow(served))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _follow(self, served: Served) -> None:
        while True:
            stamp = _written(self._file)
            pointer = read_pointer(self._file) if stamp != self._stamp else None
            self._stamp = stamp
            if pointer is not None:
                await self._obey(served, pointer)
            await asyncio.sleep(_GLANCE_SECONDS)

    async def _obey(self, served: Served, pointer: Pointer) -> None:
        if served.model is not None and served.model.name == _name(pointer):
            self._fault = ""
        else:
            await self._swap(served, pointer)
        served.metrics = pointer.metrics if not self._fault else served.metrics
        if is_registered(wanted_model(self._config)):
            served.registry = _state(pointer, self._fault)
        refused = bool(pointer.refused or self._fault)
        self._meters.registry(away=bool(pointer.away), refused=refused)

    async def _swap(self, served: Served, pointer: Pointer) -> None:
        """Load, test and serve; what was served stays where that fails."""
        fault = ""
        try:
            served.model = model = await to_thread.run_sync(self._load, pointer)
        except Exception as error:  # whatever is wrong with it, what is served stays
            fault = getattr(error, "message", repr(error))
            if fault != self._fault:
                _log.error("%s cannot be served: %s", pointer.name, fault)
        else:
            _log.info("Serving %s (%s)", pointer.name, pointer.digest[:12])
            self._meters.serve(model.name)
        self._fault = fault

    def _load(self, pointer: Pointer) -> ServedModel:
        bundle = open_bundle(Path(pointer.folder))
        if bundle.digest != pointer.digest:
            raise ModelError(f"its digest is {bundle.digest[:12]}, not {pointer.digest[:12]}")
        return ServedModel(bundle, _name(pointer), self._config)


def _name(pointer: Pointer) -> ModelName:
    return ModelName(name=pointer.name, version=pointer.version, digest=pointer.digest)


def _written(file: Path) -> int:
    """When the file was last written, in ns; 0 where there is none."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _state(pointer: Pointer, fault: str) -> str:
    """In words for clients, who are told no address and no path."""
    if pointer.away:
        return f"no answer since {pointer.away}: the last verified version is served"
    if pointer.refused or fault:
        return "the version that it names was refused: the one before is served"
    return "followed"

"""The FastAPI application: its parts put together."""

import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from anyio import to_thread
from fastapi import FastAPI

import skincli
from skincli.config.load import load_config
from skincli.config.schema import Config
from skincli.serving.errors import add_error_handlers
from skincli.serving.fixed import FixedModel, load_model
from skincli.serving.guards.guard import guard
from skincli.serving.journal import ServiceJournal
from skincli.serving.meters import ServiceMeters
from skincli.serving.middleware import Admission, BodyLimit, Metered, PlainStartupFailure
from skincli.serving.routes import earlier, health, model, page, predict
from skincli.serving.served import Served
from skincli.serving.service import Running, Service
from skincli.serving.threads import InferenceThreads

_DESCRIPTION = "Classifies dermatoscopy images. For research and education, not a medical device."


class ModelSource(Protocol):
    """Where the model comes from: it fills in what is served, for as long as it is entered."""

    def serving(self, served: Served) -> AbstractAsyncContextManager[None]: ...


def create_app(config: Config | None = None) -> FastAPI:
    """The application for `uvicorn --factory skincli.serving.app:create_app`, with a fixed model.

    Without `config`, it is composed from the working folder and the environment. The model is
    loaded at startup; one that cannot be found, verified or run stops the server from starting.
    """
    composed = config or load_config().config
    scratch = Path(tempfile.mkdtemp(prefix="skincli-"))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    load = partial(load_model, composed)
    return assemble(composed, lambda meters: FixedModel(load, meters), scratch)


def assemble(
    config: Config, source: Callable[[ServiceMeters], ModelSource], scratch: Path
) -> FastAPI:
    """The application around the model that `source` brings.

    `scratch` is a folder for all processes of this server, and for nothing else.
    """
    service, limits = Service(ServiceMeters()), config.serve.limits
    meters, served = service.meters, service.served

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        journal = await to_thread.run_sync(ServiceJournal, config.serve.journal, meters.lost)
        threads = InferenceThreads(config.serve, meters)
        service.running = Running(threads, journal)
        try:
            async with source(meters).serving(served):
                yield
        finally:
            served.model = None
            await to_thread.run_sync(threads.close)
            await to_thread.run_sync(journal.close)

    app = FastAPI(
        title="skincli",
        description=_DESCRIPTION,
        version=skincli.__version__,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's pages load their scripts from another server
        redoc_url=None,
        form_limits={"max_files": limits.images},
    )
    app.state.service = service
    app.add_middleware(BodyLimit, max_bytes=int(limits.body_megabytes * 1e6))
    app.add_middleware(Admission, most=limits.requests)
    guard(app, config.serve, scratch)
    app.add_middleware(Metered, meters=meters)
    app.add_middleware(PlainStartupFailure)
    add_error_handlers(app)
    for part in (predict, model, health, earlier, page):
        app.include_router(part.router)
    return app

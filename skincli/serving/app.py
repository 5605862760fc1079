"""The FastAPI application: its parts put together, and the model loaded before it is ready."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from anyio import to_thread
from fastapi import FastAPI

import skincli
from skincli.config.load import load_config
from skincli.config.schema import Config
from skincli.serving.errors import add_error_handlers
from skincli.serving.guards.guard import guard
from skincli.serving.journal import ServiceJournal
from skincli.serving.meters import ServiceMeters
from skincli.serving.middleware import BodyLimit, Metered, PlainStartupFailure
from skincli.serving.model import ServedModel, load_model
from skincli.serving.routes import earlier, health, model, page, predict

_DESCRIPTION = "Classifies dermatoscopy images. For research and education, not a medical device."


def create_app(config: Config | None = None) -> FastAPI:
    """The application for `uvicorn --factory skincli.serving:create_app`.

    Without `config`, it is composed from the working folder and the environment. The model is
    loaded at startup; one that cannot be found, verified or run stops the server from starting.
    """
    composed = config or load_config().config
    return assemble(composed, lambda: load_model(composed))


def assemble(config: Config, load: Callable[[], ServedModel]) -> FastAPI:
    """The application around a model that `load` fetches, in a thread, when the server starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.journal = journal = await to_thread.run_sync(ServiceJournal, config.serve.journal)
        try:
            app.state.model = model = await to_thread.run_sync(load)
            meters.serve(model.name)
            yield
        finally:
            app.state.model = None
            await to_thread.run_sync(journal.close)
            shutil.rmtree(shared, ignore_errors=True)

    shared = Path(tempfile.mkdtemp(prefix="skincli-"))
    meters = ServiceMeters(lambda: app.state.journal.dropped)

    app = FastAPI(
        title="skincli",
        description=_DESCRIPTION,
        version=skincli.__version__,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's pages load their scripts from another server
        redoc_url=None,
        form_limits={"max_files": config.serve.limits.images},
    )
    app.state.model, app.state.meters = None, meters
    app.add_middleware(BodyLimit, max_bytes=int(config.serve.limits.body_megabytes * 1e6))
    guard(app, config.serve, shared)
    app.add_middleware(Metered, meters=meters)
    app.add_middleware(PlainStartupFailure)
    add_error_handlers(app)
    for part in (predict, model, health, earlier, page):
        app.include_router(part.router)
    return app

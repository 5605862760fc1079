"""All the guards around an application, in their order."""

from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from skincli.config.serving import ServeConfig
from skincli.serving.guards.authentication import KEY_HEADER, Authentication
from skincli.serving.guards.framing import PlainBodies
from skincli.serving.guards.headers import SecurityHeaders
from skincli.serving.guards.hosts import TrustedHosts, names_of
from skincli.serving.guards.limits import ImageLimit
from skincli.serving.guards.loopback import LoopbackOnly
from skincli.serving.guards.origins import OwnPages
from skincli.serving.guards.paths import needs_key
from skincli.serving.keys.ring import KeyRing

_CORS_SECONDS: Final = 600
_SCHEMES: Final[dict[str, dict[str, str]]] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def guard(app: FastAPI, config: ServeConfig, folder: Path) -> None:
    """Put the guards around what was added to `app` before; what is added later is outside them.

    `folder` is shared by all processes of one server and by nothing else.
    """
    # From the inside out: a preflight shows no key, so that CORS has to answer it before.
    app.add_middleware(ImageLimit, per_minute=config.limits.per_minute, folder=folder)
    if config.asks_for_keys:
        app.add_middleware(Authentication, ring=KeyRing(Path(config.keys.file)))
        _describe_keys(app)
    elif config.keys.required == "auto":
        app.add_middleware(LoopbackOnly)
    app.add_middleware(OwnPages, config=config)
    if config.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=config.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", KEY_HEADER, "content-type"],
            expose_headers=["retry-after"],
            max_age=_CORS_SECONDS,
        )
    if names := names_of(config):
        app.add_middleware(TrustedHosts, names=names)
    app.add_middleware(PlainBodies)
    app.add_middleware(SecurityHeaders)


def _describe_keys(app: FastAPI) -> None:
    """Let the OpenAPI document say which routes ask for a key, so that its page can take one."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        document = described()
        document.setdefault("components", {})["securitySchemes"] = _SCHEMES
        for path, operations in document["paths"].items():
            for operation in operations.values() if needs_key(path) else ():
                operation["security"] = [{scheme: []} for scheme in _SCHEMES]
        return document

    app.openapi = openapi  # type: ignore[method-assign] # as FastAPI's documentation has it

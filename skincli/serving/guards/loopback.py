"""Holding a service without keys to this computer, whoever opened its port."""

from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from skincli.config.serving import is_loopback
from skincli.serving.errors import problem_response

_DETAIL: Final = (
    "this service was set up for its own computer: serve.host says where else, and asks for keys"
)


class LoopbackOnly:
    """Refuses what reached this computer at another address than loopback.

    `skincli serve` listens where serve.host says; another server that runs the application may
    listen anywhere, and serve.host alone decides whether keys are asked for.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_local(scope):
            await self._app(scope, receive, send)
            return
        await problem_response(HTTPStatus.FORBIDDEN, _DETAIL, "not_local")(scope, receive, send)


def _is_local(scope: Scope) -> bool:
    """By the address that was reached; without a port it is a Unix socket, without both unknown."""
    host, port = scope.get("server") or ("", None)
    return port is None or is_loopback(host)

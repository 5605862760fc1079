"""What stands before the routes: counting, the limits on requests, a failed start in words."""

import sys
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skincli.errors import SkincliError
from skincli.serving.errors import Problem, problem_response
from skincli.serving.guards.paths import IMAGES, needs_key
from skincli.serving.meters import ServiceMeters

_NO_ROUTE: Final = "(none)"
# All bodies under way may be so many times the size that one may have.
_BODIES_TOGETHER: Final = 8
# Of what is no image: a tree of JSON takes tens of times its bytes.
_OTHER_BYTES: Final = 2**16


class BodyLimit:
    """Refuses a body of more than `max_bytes` for images, or 64 kB for anything else, by its
    declared length or as soon as it is passed.

    All requests under way together are answered 503 beyond eight times that, because bodies are
    held while they arrive and until they are answered. Per process.

    FastAPI's own `max_body_size` counts in the same way, but answers a declared length in plain
    text that no exception handler sees.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._max_bytes if scope["path"] in IMAGES else _OTHER_BYTES
        if int(Headers(scope=scope).get("content-length", "0")) > most:
            await _too_large(most).response()(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            """Raises Problem, which the handlers answer."""
            nonlocal received
            message = await receive()
            size = len(message.get("body", b""))
            received += size
            self._held += size
            if received > most:
                raise _too_large(most)
            self._check_together()
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._held -= received

    def _check_together(self) -> None:
        if self._held > _BODIES_TOGETHER * self._max_bytes:
            detail = "the requests under way are too large together: try again"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, "busy", retry_after=1)


def _too_large(most: int) -> Problem:
    detail = f"the request is larger than the {most:,} bytes allowed"
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, "too_many_bytes")


class Admission:
    """Answers 503 beyond so many requests under way; those for health and counters always pass, and
    those that need no key, so that strangers cannot fill the place of clients.

    Their bodies are what takes memory while they arrive. Per process.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_counted(scope["path"]):
            await self._app(scope, receive, send)
            return
        if self._under_way >= self._most:
            detail = f"{self._most} requests are under way: try again"
            headers = {"Retry-After": "1"}
            refusal = problem_response(HTTPStatus.SERVICE_UNAVAILABLE, detail, "busy", headers)
            await refusal(scope, receive, send)
            return
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1


def _is_counted(path: str) -> bool:
    return needs_key(path) and path != "/metrics"


class Metered:
    """Counts requests under the template of their route, never under a client's words."""

    def __init__(self, app: ASGIApp, meters: ServiceMeters) -> None:
        self._app = app
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._meters.request() as answered:
            status = 0

            async def watched(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                    answered(_route(scope), status)
                await send(message)

            try:
                await self._app(scope, receive, watched)
            except Exception:  # what is outside of this answers 500
                if not status:
                    answered(_route(scope), HTTPStatus.INTERNAL_SERVER_ERROR)
                raise


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", _NO_ROUTE)


class PlainStartupFailure:
    """Reports a start that failed for a reason the user can mend in words, not as a traceback.

    Starlette tells the server of a failed start while it handles the exception that caused it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def plain(message: Message) -> None:
            error = sys.exception()
            failed = message["type"] == "lifespan.startup.failed"
            if failed and isinstance(error, SkincliError):
                words = "\n".join(filter(None, (error.message, error.hint)))
                message = {**message, "message": words}
            await send(message)

        await self._app(scope, receive, plain if scope["type"] == "lifespan" else send)

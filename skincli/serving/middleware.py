"""What stands before the routes: counting, the limits on requests, a failed start in words."""

import sys
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skincli.errors import SkincliError
from skincli.serving.errors import Problem, problem_response
from skincli.serving.meters import ServiceMeters

_REASON: Final = "too_many_bytes"
_NO_ROUTE: Final = "(none)"
# All bodies under way may be so many times the size that one may have.
_BODIES_TOGETHER: Final = 8
_ALWAYS_ANSWERED: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class BodyLimit:
    """Refuses a body of more than `max_bytes`, by its declared length or as soon as it is passed.

    All requests under way together are answered 503 beyond eight times that, because bodies are
    held while they arrive and until they are answered. Per process.

    FastAPI's own `max_body_size` counts in the same way, but answers a declared length in plain
    text that no exception handler sees.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._detail = f"the request is larger than the {max_bytes:,} bytes allowed"
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if int(Headers(scope=scope).get("content-length", "0")) > self._max_bytes:
            refusal = problem_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._detail, _REASON)
            await refusal(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            """Raises Problem, which the handlers answer."""
            nonlocal received
            message = await receive()
            size = len(message.get("body", b""))
            received += size
            self._held += size
            self._check(received)
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._held -= received

    def _check(self, received: int) -> None:
        if received > self._max_bytes:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._detail, _REASON)
        if self._held > _BODIES_TOGETHER * self._max_bytes:
            detail = "the requests under way are too large together: try again"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, "busy", retry_after=1)


class Admission:
    """Answers 503 beyond so many requests under way; those for health and counters always pass.

    Their bodies are what takes memory while they arrive. Per process.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _ALWAYS_ANSWERED:
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

            async def watched(message: Message) -> None:
                if message["type"] == "http.response.start":
                    route = getattr(scope.get("route"), "path", _NO_ROUTE)
                    answered(route, message["status"])
                await send(message)

            await self._app(scope, receive, watched)


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

"""Letting in only clients that show a key."""

from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from skincli.errors import SkincliError
from skincli.serving.errors import problem_response
from skincli.serving.guards.paths import needs_key
from skincli.serving.keys.key import ApiKey
from skincli.serving.keys.ring import KeyRing

KEY_HEADER: Final = "x-api-key"
_BEARER: Final = "bearer "


class Authentication:
    """Asks for a key, in `Authorization: Bearer` (RFC 6750) or `X-API-Key`, before anything of the
    request is read. The key goes to `scope["state"]["key"]`; its secret goes nowhere."""

    def __init__(self, app: ASGIApp, ring: KeyRing) -> None:
        self._app = app
        self._ring = ring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not needs_key(scope["path"]):
            await self._app(scope, receive, send)
            return
        shown = _shown(Headers(scope=scope))
        try:
            key = self._ring.find(shown) if shown else None
        except SkincliError:
            await _closed()(scope, receive, send)
            return
        if key is None:
            await _unknown(shown)(scope, receive, send)
            return
        scope.setdefault("state", {})["key"] = key
        await self._app(scope, receive, send)


def key_of(scope: Scope) -> ApiKey | None:
    """The key that let a request in; None where none is asked for."""
    key = scope.get("state", {}).get("key")
    return key if isinstance(key, ApiKey) else None


def _shown(headers: Headers) -> str:
    bearer = headers.get("authorization", "")
    if bearer[: len(_BEARER)].lower() == _BEARER:
        return bearer[len(_BEARER) :].strip()
    return headers.get(KEY_HEADER, "").strip()


def _unknown(shown: str) -> Response:
    """The same for a key that never was and one that was revoked."""
    challenge = 'Bearer error="invalid_token"' if shown else "Bearer"
    detail = "the key is not known here" if shown else "show a key: `Authorization: Bearer KEY`"
    reason = "unknown_key" if shown else "no_key"
    headers = {"www-authenticate": challenge}
    return problem_response(HTTPStatus.UNAUTHORIZED, detail, reason, headers)


def _closed() -> Response:
    detail = "keys cannot be checked now: nobody is let in until the operator has mended it"
    return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, detail, "keys_away")

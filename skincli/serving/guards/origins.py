"""Refusing what pages of other sites send."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from skincli.config.serving import ServeConfig
from skincli.serving.errors import problem_response

_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_DETAIL: Final = "this service takes nothing from pages of other sites; see serve.cors_origins"


class OwnPages:
    """Refuses what a page of another site made a browser send. It may do so without asking, though
    it never reads the answer, and such a form would fill the journal (OWASP, "Cross-Site Request
    Forgery Prevention Cheat Sheet", verifying origin). Programs send no Origin."""

    def __init__(self, app: ASGIApp, config: ServeConfig) -> None:
        self._app = app
        self._origins: Sequence[str] = config.cors_origins
        self._hosts: Sequence[str] = config.allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["method"] in _SAFE
            or self._is_ours(Headers(scope=scope))
        ):
            await self._app(scope, receive, send)
            return
        refusal = problem_response(HTTPStatus.FORBIDDEN, _DETAIL, "other_site")
        await refusal(scope, receive, send)

    def _is_ours(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None or origin in self._origins:
            return True
        try:
            site = urlsplit(origin).netloc.lower()
        except ValueError:
            return False
        named = site.rpartition(":")[0] or site
        return site == headers.get("host", "").lower() or named in self._hosts

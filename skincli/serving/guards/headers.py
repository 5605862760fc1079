"""Headers by which a browser keeps other sites, and whatever crept into a page, out.

What each is for: OWASP, "HTTP Security Response Headers Cheat Sheet". Strict-Transport-Security is
the proxy's to add, which ends TLS.
"""

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skincli.serving.guards.paths import Kind, kind_of

_EVERY_ANSWER: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_NOWHERE: Final = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_CONTENT: Final[dict[Kind, str]] = {
    "api": "default-src 'none'; frame-ancestors 'none'",
    "page": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        f"connect-src 'self'; font-src 'self'; {_NOWHERE}"
    ),
    # Swagger UI draws its icons from data URLs.
    "docs": (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src 'self' data:; connect-src 'self'; font-src 'self'; {_NOWHERE}"
    ),
}


def headers_for(path: str) -> Mapping[str, str]:
    """The headers of every answer to a request for `path`."""
    return {**_EVERY_ANSWER, "content-security-policy": _CONTENT[kind_of(path)]}


class SecurityHeaders:
    """Adds the headers; an answer of the API is not kept by browsers and proxies either."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(headers_for(scope["path"]))
                if kind_of(scope["path"]) == "api":
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)

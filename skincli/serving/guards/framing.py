"""Requests whose body may be read in one way only."""

from http import HTTPStatus
from typing import Final

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from skincli.serving.errors import problem_response

_TWO_LENGTHS: Final = "the request names a length and comes in chunks: one of them is wrong"
_PACKED: Final = "send the body as it is, without Content-Encoding"
# Whatever follows on the connection may be the rest of the body, or another request.
_CLOSE: Final = {"connection": "close"}
_NO_UTF8: Final = "a form names its fields in UTF-8"
_CHARSETS: Final = ("", "utf-8", "utf8", "us-ascii", "ascii")
_UNPACKED: Final = ("", "identity")


def _charset(headers: Headers) -> str:
    """Which a form may name, and the parser hands to any of Python's codecs, the slow ones too."""
    return (
        parse_options_header(headers.get("content-type"))[1]
        .get(b"charset", b"")
        .decode("latin-1")
        .lower()
    )


class PlainBodies:
    """Refuses a body of two lengths, by which requests are smuggled past a proxy (RFC 9112 6.1),
    one that would have to be unpacked (RFC 9110 8.4), and one in a rare encoding of letters."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if "transfer-encoding" in headers and "content-length" in headers:
                status, detail, reason = HTTPStatus.BAD_REQUEST, _TWO_LENGTHS, "two_lengths"
            elif headers.get("content-encoding", "").strip().lower() not in _UNPACKED:
                status, detail, reason = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _PACKED, "packed"
            elif _charset(headers) not in _CHARSETS:
                status, detail, reason = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _NO_UTF8, "charset"
            else:
                await self._app(scope, receive, send)
                return
            await problem_response(status, detail, reason, _CLOSE)(scope, receive, send)
            return
        await self._app(scope, receive, send)

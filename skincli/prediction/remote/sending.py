"""One request, and what its answer means: a body, another attempt, or the end."""

import ssl
import time
from http import HTTPStatus
from typing import Any, Final

import httpx

from skincli.errors import SkincliError, UsageError
from skincli.patience import seconds_asked
from skincli.prediction.remote.address import KEY_VARIABLE
from skincli.prediction.remote.answers import UnusableAnswer, problem_of

_MOST_BYTES: Final = 16_000_000
_ANSWER_SECONDS: Final = 120.0
_PASSING: Final = frozenset({408, 425, 429, 502, 503, 504})
_OF_THE_IMAGE: Final = frozenset({400, 413, 415, 422, 500})
_HINTS: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: f"set {KEY_VARIABLE} to a key that `skincli keys create NAME` made",
    HTTPStatus.MISDIRECTED_REQUEST: "its operator lists its names in serve.allowed_hosts",
}
_NO_SERVER: Final = "give the address of `skincli serve`, without /v1"


class Transient(Exception):
    """A failure that a later attempt may not meet.

    `limited` (429) and `busy` (that, or 503) tell that the server is there and wants to be asked
    later; `asked` is the wait in seconds that it wants.
    """

    def __init__(self, reason: str, status: int = 0, asked: float = 0.0) -> None:
        super().__init__(reason)
        self.limited = status == HTTPStatus.TOO_MANY_REQUESTS
        self.busy = self.limited or status == HTTPStatus.SERVICE_UNAVAILABLE
        self.asked = asked


class ImageRefused(Exception):
    """The server does not answer about this image, and would not at another attempt."""


def send(client: httpx.Client, method: str, path: str, **content: Any) -> bytes:
    """The body of a good answer.

    Raises Transient, ImageRefused for an image that was sent, and SkincliError where it makes no
    sense to go on asking this server.
    """
    server = client.base_url.netloc.decode("ascii")
    try:
        with client.stream(method, path, **content) as response:
            body = _read(response)
    except httpx.TimeoutException:
        raise Transient("no answer in time") from None
    except httpx.ConnectError as error:
        if isinstance(_root(error), ssl.SSLCertVerificationError):
            raise UsageError(
                f"the certificate of {server} is not trusted: {error}",
                "set SSL_CERT_FILE to the authority that signed it",
            ) from None
        raise Transient(f"no connection: {error}") from None
    except (httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError) as error:
        raise Transient(f"the connection broke off: {error}") from None
    except httpx.RequestError as error:
        raise SkincliError(f"{server} cannot be asked: {error}") from None
    return _accepted(server, response, body)


def _accepted(server: str, response: httpx.Response, body: bytes) -> bytes:
    status = response.status_code
    if status == HTTPStatus.OK:
        return body
    detail = problem_of(body).detail or f"it answers {status}"
    if status in _PASSING:
        asked = seconds_asked(response.headers.get("retry-after", ""))
        raise Transient(detail, status, asked)
    if status in _OF_THE_IMAGE and response.request.method == "POST":
        raise ImageRefused(detail.removeprefix("`image`: "))
    raise UsageError(f"{server} refuses: {detail}", _HINTS.get(status, _NO_SERVER))


def _read(response: httpx.Response) -> bytes:
    """The body, of a size and in a time that are bounded."""
    body, deadline = bytearray(), time.monotonic() + _ANSWER_SECONDS
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise UnusableAnswer(f"the server's answer is larger than {_MOST_BYTES:,} bytes")
        if time.monotonic() > deadline:
            raise Transient(f"the answer was not complete after {_ANSWER_SECONDS:g} s")
    return bytes(body)


def _root(error: BaseException) -> BaseException:
    """What an error comes of: httpx and httpcore each wrap it."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return error

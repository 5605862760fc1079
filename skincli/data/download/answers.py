"""What a server's answer to a download means: bytes, another attempt, or the end."""

import re
from dataclasses import dataclass
from typing import Final

import httpx

from skincli.data.download.client import KEY_VARIABLE
from skincli.errors import DataError, SkincliError
from skincli.patience import seconds_asked

_BUSY: Final = frozenset({408, 425, 429})
_GONE: Final = frozenset({404, 410})
_CLOSED: Final = frozenset({401, 403})
_CHECK: Final = "check data.mirror, or data.download.… where you set one"
_GO_ON: Final = "run the same command again: it goes on where it stopped"
_OFFLINE: Final = (
    "check the network and your proxy, then run the same command again; "
    "data.mirror=URL-or-folder takes published files from elsewhere, data=synthetic draws its own"
)
_RANGE: Final = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


class UnreachableError(SkincliError):
    """There is no connection to a server."""


class Transient(Exception):
    """A failure that a later attempt may not meet; `asked` are the seconds a server wants."""

    def __init__(self, reason: str, asked: float = 0.0, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.asked = asked
        self.unreachable = unreachable

    def as_error(self, what: str) -> SkincliError:
        """The error to raise when there are no attempts left to get `what`."""
        kind, hint = (UnreachableError, _OFFLINE) if self.unreachable else (SkincliError, _GO_ON)
        return kind(f"{what} cannot be downloaded: {self}", hint)


class RefusedError(DataError):
    """An answer that no other attempt will change."""

    def __init__(self, status: int, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.status = status


@dataclass(frozen=True, slots=True)
class Version:
    """What a server says of the state of a file. `total` is its size in bytes."""

    etag: str
    modified: str
    total: int | None

    @classmethod
    def of(cls, response: httpx.Response) -> "Version":
        headers = response.headers
        total = _content_range(response)[1] if response.status_code == 206 else _length(response)
        return cls(headers.get("etag", ""), headers.get("last-modified", ""), total)

    def is_same(self, other: "Version") -> bool:
        """Whether both are one state, by the strongest mark that both have."""
        if None not in (self.total, other.total) and self.total != other.total:
            return False
        if self.etag and other.etag:
            return self.etag == other.etag
        return self.modified == other.modified

    @property
    def is_marked(self) -> bool:
        return bool(self.etag or self.modified)


def first_byte(response: httpx.Response) -> int | None:
    """The position of an answer's first byte in the file, None where it is not told."""
    return 0 if response.status_code == 200 else _content_range(response)[0]


def unsatisfied_total(response: httpx.Response) -> int | None:
    """The size of the file that an answer 416 tells, None where it does not."""
    return _content_range(response)[1]


def server_of(response: httpx.Response) -> str:
    """The server that was asked, not the storage it redirects to, without credentials."""
    first = response.history[0] if response.history else response
    return first.request.url.netloc.decode("ascii")


def require_file(response: httpx.Response, name: str) -> None:
    """Raises Transient for an answer that is worth another attempt, RefusedError for the others."""
    status, server = response.status_code, server_of(response)
    if status in _BUSY or status >= 500:
        asked = seconds_asked(response.headers.get("retry-after", ""))
        raise Transient(f"{server} answers {status}", asked)
    if status in _CLOSED and response.history:
        raise Transient(f"the storage that {server} names answers {status}")
    if not response.is_success:
        raise _refused(status, server, name)
    if status not in (200, 206) or response.headers.get("content-length") == "0":
        raise Transient(f"{server} answers {status} without the file, as web firewalls do")
    if response.headers.get("content-type", "").lower().startswith("text/html"):
        raise Transient(f"{server} answers with a web page instead of the file")


def _refused(status: int, server: str, name: str) -> RefusedError:
    if status in _GONE:
        message, hint = f"{server} has no {name}: it answers {status}", _CHECK
    elif status in _CLOSED:
        message = f"{server} refuses {name}: it answers {status}"
        hint = (
            "it may ask for a login or for consent to a licence, or turn away programs: try it in "
            f"a browser; for a restricted Dataverse file set {KEY_VARIABLE}"
        )
    else:
        message, hint = f"{server} answers {status} for {name}", _CHECK
    return RefusedError(status, message, hint)


def _content_range(response: httpx.Response) -> tuple[int | None, int | None]:
    """First byte and total size from Content-Range (RFC 9110 14.4), None where not told."""
    match = _RANGE.fullmatch(response.headers.get("content-range", "").strip())
    if not match:
        return None, None
    first, total = match[1], match[2]
    return (int(first) if first else None), (None if total == "*" else int(total))


def _length(response: httpx.Response) -> int | None:
    text = response.headers.get("content-length", "")
    return int(text) if text.isdecimal() else None

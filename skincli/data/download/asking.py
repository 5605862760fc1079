"""Small questions to a server: a list as JSON, a text, the size of a file."""

import json
from collections.abc import Callable
from typing import Any, Final, TypeVar

import httpx

from skincli.data.download.answers import RefusedError, Transient, Version, require_file
from skincli.data.download.web import Web

# Before anything is downloaded, a server that does not answer is told soon.
FEW: Final = 3
_Answer = TypeVar("_Answer")


def ask_json(web: Web, url: str, what: str, tries: int = FEW) -> Any:
    """The JSON at `url`. Raises RefusedError, or SkincliError when no try succeeds."""

    def ask() -> Any:
        try:
            return json.loads(_read(web, url, what))
        except ValueError:
            server = httpx.URL(url).netloc.decode("ascii")
            raise Transient(f"{server} answers with something else than JSON") from None

    return _retried(web, what, tries, ask)


def ask_text(web: Web, url: str, name: str) -> str | None:
    """The text at `url`, None where there is none."""
    try:
        return _retried(web, name, FEW, lambda: _read(web, url, name)).decode("utf-8", "replace")
    except RefusedError:
        return None


def ask_size(web: Web, url: str, name: str) -> int | None:
    """The bytes of a file, None where the server does not say.

    Asked by its first byte: Dataverse's storage refuses HEAD.
    """

    def ask() -> int | None:
        with web.stream(url, 0, "0") as response:
            require_file(response, name)
            return Version.of(response).total

    return _retried(web, name, FEW, ask)


def _read(web: Web, url: str, what: str) -> bytes:
    with web.stream(url) as response:
        require_file(response, what)
        return response.read()


def _retried(web: Web, what: str, tries: int, ask: Callable[[], _Answer]) -> _Answer:
    failures = 0
    while True:
        try:
            return ask()
        except Transient as error:
            failures += 1
            if failures >= tries:
                raise error.as_error(what) from None
            web.pause(failures, error.asked)

"""The one HTTP client: who we say we are, how long we wait, and where the token may go."""

import os
import re
from collections.abc import Callable
from typing import Final

import httpx

from skincli import __version__
from skincli.config.data import DownloadConfig
from skincli.config.secrets import mask
from skincli.errors import ConfigError

KEY_VARIABLE: Final = "SKINCLI_DATAVERSE_TOKEN"
_KEY_HEADER: Final = "X-Dataverse-key"
_CONNECT_SECONDS: Final = 10.0
# Dataverse refuses the names that HTTP libraries give themselves.
_USER_AGENT: Final = f"skincli/{__version__} (+https://github.com/skincli/skincli)"


def open_client(settings: DownloadConfig) -> httpx.Client:
    """A client that follows redirects and takes its proxies from the environment.

    Raises ConfigError for an address, a proxy or a token that cannot be used.
    """
    try:
        return httpx.Client(
            headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(settings.stall_seconds, connect=_CONNECT_SECONDS, pool=None),
            follow_redirects=True,
            event_hooks={"request": _token_hooks(settings.dataverse)},
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise ConfigError(
            f"no HTTP client can be made: {mask(str(error))}",
            "check data.download.dataverse, HTTP_PROXY, HTTPS_PROXY and ALL_PROXY",
        ) from None


def _token_hooks(dataverse: str) -> list[Callable[[httpx.Request], None]]:
    token = os.environ.get(KEY_VARIABLE, "").strip()
    if not token:
        return []
    if not re.fullmatch(r"[!-~]+", token):
        raise ConfigError(f"{KEY_VARIABLE} holds characters that no token has")
    return [_token_hook(token, _origin(httpx.URL(dataverse)))]


def _token_hook(token: str, home: tuple[str, str, int | None]) -> Callable[[httpx.Request], None]:
    def hook(request: httpx.Request) -> None:
        # Called for every hop: httpx carries own headers along to where it is redirected.
        request.headers.pop(_KEY_HEADER, None)
        if _origin(request.url) == home:
            request.headers[_KEY_HEADER] = token

    return hook


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port

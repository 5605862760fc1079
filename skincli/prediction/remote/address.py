"""Which server is asked, with which key, and that the key meets no ear on the way."""

import os
import re
from typing import Final

import httpx

from skincli import __version__
from skincli.config.serving import is_loopback
from skincli.errors import ConfigError, UsageError

KEY_VARIABLE: Final = "SKINCLI_API_KEY"
_CONNECT_SECONDS: Final = 10.0
_SILENCE_SECONDS: Final = 60.0


def open_client(server: str, connections: int, allow_plain_http: bool) -> httpx.Client:
    """A client of the server at an address, which shows the key of the environment, if any.

    Redirects are not followed: they would carry the key, and the images, who knows where. Raises
    UsageError for an address that is none, and for a key or images that would travel in the clear
    to another computer, unless `allow_plain_http`.
    """
    url = parsed(server)
    key = _key()
    if url.scheme == "http" and not is_loopback(url.host) and not allow_plain_http:
        raise UsageError(
            f"over http:// everybody on the way to {url.host} reads the images"
            + (f" and the key in {KEY_VARIABLE}" if key else ""),
            "give its https:// address, or say that the network is private: --allow-plain-http",
        )
    headers = {"User-Agent": f"skincli/{__version__}", "Accept-Encoding": "identity"}
    headers |= {"Authorization": f"Bearer {key}"} if key else {}
    try:
        return httpx.Client(
            base_url=url,
            headers=headers,
            timeout=httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS, pool=None),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        )
    except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
        raise ConfigError(
            f"no HTTP client can be made: {error}",
            "check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR",
        ) from None


def parsed(server: str) -> httpx.URL:
    """The address of a server. Raises UsageError, which repeats nothing secret."""
    try:
        url = httpx.URL(server)
    except httpx.InvalidURL as error:
        raise UsageError(f"the server's address cannot be read: {error}") from None
    if url.userinfo:
        raise UsageError("a server's address holds no user or password", f"set {KEY_VARIABLE}")
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise UsageError(
            f"`{server}` is no address of a server", "such as https://skin.example.org"
        )
    return url


def _key() -> str:
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not re.fullmatch(r"[!-~]*", key):
        raise ConfigError(f"{KEY_VARIABLE} holds characters that no key has")
    return key

"""Questions to GitHub's REST API: put again while that can help, and refused in plain words.

What a status means, limits of the rate included: https://docs.github.com/en/rest, "Using the REST
API".
"""

import re
import time
from typing import Any, Final

import httpx

from skincli import __version__
from skincli.config.secrets import mask
from skincli.config.serving import is_loopback
from skincli.errors import ConfigError, SkincliError, UsageError
from skincli.patience import Patience, seconds_asked
from skincli.runner.github_rights import mend

PATIENCE: Final = Patience(first=1.0, longest=10.0, longest_asked=60.0)
TRIES: Final = 4
_CONNECT_SECONDS: Final = 10.0
_SILENCE_SECONDS: Final = 30.0
# GitHub's own advice for a secondary limit that names no time.
_LIMITED_SECONDS: Final = 60.0
_REDIRECTS: Final = 3


class GitHubError(SkincliError):
    """GitHub was not reached, or refused. No message or hint holds the token.

    `status` is that of the answer, 0 where there was none. `transient` errors may be gone later, in
    `asked` seconds where GitHub says so. `reason` is what GitHub itself said.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        status: int = 0,
        transient: bool = False,
        asked: float = 0.0,
        reason: str = "",
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.transient = transient
        self.asked = asked
        self.reason = reason


class Api:
    """An address of the API and the token that is shown to it, and to no other server."""

    def __init__(self, address: str, token: str, patience: Patience = PATIENCE) -> None:
        """Raises UsageError for an address that would let others read the token, ConfigError for a
        token or a proxy that cannot be used."""
        self._patience = patience
        self._token = _usable(token)
        self._address = _parsed(address)

    def ask(self, method: str, path: str, tries: int = TRIES, **content: Any) -> httpx.Response:
        """The answer, a success. Raises GitHubError, `transient` once all `tries` failed so."""
        failures = 0
        while True:
            try:
                return self._asked_once(method, path, content)
            except GitHubError as error:
                failures += 1
                asked_too_much = error.asked > self._patience.longest_asked
                if not error.transient or failures >= tries or asked_too_much:
                    raise
                time.sleep(self._patience.seconds(failures, error.asked))

    def _asked_once(self, method: str, path: str, content: dict[str, Any]) -> httpx.Response:
        with self._client() as client:
            try:
                response = client.request(method, path, **content)
                for _ in range(_REDIRECTS):
                    if response.next_request is None:
                        break
                    self._require_same_server(response.next_request, method)
                    response = client.send(response.next_request)
            except (httpx.TransportError, httpx.DecodingError) as error:
                raise self._unreachable(error) from None
        if not response.is_success:
            raise self._refusal(response)
        return response

    def _client(self) -> httpx.Client:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._token}",
            "User-Agent": f"skincli/{__version__}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        try:
            return httpx.Client(
                base_url=self._address,
                headers=headers,
                timeout=httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS),
            )
        except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
            raise ConfigError(
                f"no HTTP client can be made: {mask(str(error))}",
                "check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR",
            ) from None

    def _require_same_server(self, request: httpx.Request, method: str) -> None:
        """A renamed repository redirects; a redirect to elsewhere would take the token along."""
        here, there = self._address, request.url
        same = (here.scheme, here.host, here.port) == (there.scheme, there.host, there.port)
        if not same or request.method != method:
            raise GitHubError(
                f"{here.host} sends {method} on to another place ({there.host})",
                "check `runner.repo` and `runner.api`: the repository may have moved",
            )

    def _unreachable(self, error: Exception) -> GitHubError:
        what = "did not answer in time" if isinstance(error, httpx.TimeoutException) else ""
        reason = what or f"cannot be reached: {mask(str(error)) or type(error).__name__}"
        return GitHubError(
            f"{self._address.host} {self._hidden(reason)}",
            "check the network, your proxy (HTTPS_PROXY), and `runner.api` if you set it",
            transient=True,
        )

    def _refusal(self, response: httpx.Response) -> GitHubError:
        status, reason = response.status_code, self._hidden(_reason(response))
        said = f"{self._address.host} answers {status}" + (f": {reason}" if reason else "")
        limited, asked = _limit(response)
        transient = limited or status in (408, 425) or status >= 500
        if limited:
            hint = f"GitHub limits how often it is asked; try again in {max(asked, 1):.0f} seconds"
        elif transient:
            hint = "try again later; https://www.githubstatus.com tells of failures of GitHub"
        else:
            hint = mend(status, response.headers, reason)
        return GitHubError(
            said, hint, status=status, transient=transient, asked=asked, reason=reason
        )

    def _hidden(self, text: str) -> str:
        return text.replace(self._token, "***")


def _limit(response: httpx.Response) -> tuple[bool, float]:
    """Whether an answer speaks of too many questions, and the seconds to wait."""
    asked = seconds_asked(response.headers.get("retry-after", ""))
    if response.status_code not in (403, 429):
        return False, asked
    if response.headers.get("x-ratelimit-remaining") == "0":
        reset = response.headers.get("x-ratelimit-reset", "")
        until = float(reset) - time.time() if reset.isdecimal() else _LIMITED_SECONDS
        return True, max(asked, until)
    limited = response.status_code == 429 or asked > 0 or "rate limit" in _reason(response).lower()
    return limited, asked or (_LIMITED_SECONDS if limited else 0.0)


def _reason(response: httpx.Response) -> str:
    """What GitHub itself says of a refusal, in one line."""
    try:
        said = response.json()["message"]
    except (ValueError, KeyError, TypeError):
        return ""
    return " ".join(str(said).split())[:200].rstrip(".")


def _usable(token: str) -> str:
    # What is no header is repeated in the HTTP library's complaint about it.
    if not re.fullmatch(r"[!-~]+", token):
        raise ConfigError("the token is empty or holds characters that no token has")
    return token


def _parsed(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise UsageError(f"`runner.api` cannot be read: {error}") from None
    if url.userinfo:
        raise UsageError("`runner.api` holds no user or password", "the token stays in REPO_TOKEN")
    if url.scheme not in ("http", "https") or not url.host:
        raise UsageError(f"`{address}` is no address of an API", "such as https://api.github.com")
    if url.scheme == "http" and not is_loopback(url.host):
        raise UsageError(
            f"over http:// everybody on the way to {url.host} reads the token",
            "give an https:// address as `runner.api`",
        )
    return url

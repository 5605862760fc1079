"""Answering only to the names that the service goes by."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from skincli.config.serving import LOOPBACK, ServeConfig, is_loopback
from skincli.serving.errors import problem_response
from skincli.serving.guards.paths import HEALTH

_DETAIL: Final = "this service does not go by that name; serve.allowed_hosts says which it has"


def names_of(config: ServeConfig) -> frozenset[str]:
    """The names that clients may call the service by; none at all means any.

    Without serve.allowed_hosts these are, on loopback, the names of loopback: a page of a stranger
    whose name was made to resolve to 127.0.0.1 (DNS rebinding) then gets nothing. On an address
    that others reach any name will do, for only their operator knows their names; there keys stand
    guard, which such a page has not got.
    """
    own = {*LOOPBACK, config.host} if is_loopback(config.host) else set()
    names = config.allowed_hosts or own
    return frozenset(_plain(name) for name in names)


class TrustedHosts:
    """Refuses a request that calls the service by a name it does not have (RFC 9110 15.5.20).

    Its health may be asked under any name, since what probes a container calls it by its address.
    Starlette's own takes no IPv6 address and answers in plain text.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in HEALTH or self._is_called(scope):
            await self._app(scope, receive, send)
            return
        refusal = problem_response(HTTPStatus.MISDIRECTED_REQUEST, _DETAIL, "unknown_host")
        await refusal(scope, receive, send)

    def _is_called(self, scope: Scope) -> bool:
        hosts = Headers(scope=scope).getlist("host")
        return len(hosts) == 1 and _without_port(hosts[0]) in self._names


def _without_port(host: str) -> str:
    if host.startswith("["):
        return _plain(host.partition("]")[0])
    return _plain(host.partition(":")[0])


def _plain(name: str) -> str:
    """`Localhost.` is `localhost`, `[::1]` is `::1`."""
    return name.strip("[]").rstrip(".").lower()

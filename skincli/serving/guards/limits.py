"""So many images a minute for each client."""

import math
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Network, ip_address
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from skincli.serving.errors import Problem
from skincli.serving.guards.authentication import key_of
from skincli.serving.guards.buckets import Buckets
from skincli.serving.guards.paths import IMAGES

_MINUTE: Final = 60.0
_IPV6_PREFIX: Final = 64  # bits of the network that one household or office is given


class Client:
    """Who asks, and how many images they may send. `per_minute` 0 is no limit."""

    def __init__(self, name: str, per_minute: int, buckets: Buckets) -> None:
        self._name = name
        self._per_minute = per_minute
        self._buckets = buckets

    def enter(self) -> None:
        """Count the one image that a request must have. Raises Problem."""
        if self._per_minute:
            self._take(1, 0.0)

    def charge(self, images: int) -> None:
        """Count what a request holds beyond the image that `enter` counted. Raises Problem."""
        if not self._per_minute or images == 1:
            return
        if images > self._per_minute:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"{images} images at once are more than the {self._per_minute} a minute allowed",
                "too_many_images",
            )
        # Another attempt has to pay for its first image again.
        self._take(images - 1, _MINUTE / self._per_minute)

    def _take(self, images: int, more_seconds: float) -> None:
        wait = self._buckets.take(self._name, self._per_minute, images)
        if wait:
            wait = math.ceil(wait + more_seconds)
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"more than the {self._per_minute} images a minute allowed: wait {wait} s",
                "too_many_requests",
                retry_after=wait,
            )


class ImageLimit:
    """Refuses an image above the client's limit before the request is read, and leaves the `Client`
    in `scope["state"]["client"]` for the route, which alone learns of further images."""

    def __init__(self, app: ASGIApp, per_minute: int, folder: Path) -> None:
        self._app = app
        self._per_minute = per_minute
        self._buckets = Buckets(folder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            try:
                await self._app(scope, receive, send)
            finally:
                self._buckets.close()
            return
        if scope["type"] == "http":
            client = self._client(scope)
            scope.setdefault("state", {})["client"] = client
            if scope["method"] == "POST" and scope["path"] in IMAGES:
                try:
                    client.enter()
                except Problem as problem:
                    await problem.response()(scope, receive, send)
                    return
        await self._app(scope, receive, send)

    def _client(self, scope: Scope) -> Client:
        key = key_of(scope)
        if key is None:
            return Client(f"from {_network(scope)}", self._per_minute, self._buckets)
        own = self._per_minute if key.per_minute is None else key.per_minute
        return Client(f"key {key.id}", own, self._buckets)


def _network(scope: Scope) -> str:
    """The peer's address; of IPv6 the network, whose addresses one client has at will."""
    if not scope.get("client"):
        return "this computer"  # a Unix socket
    try:
        address = ip_address(scope["client"][0].partition("%")[0])
    except ValueError:
        return "nowhere"  # what a proxy was told in X-Forwarded-For
    if isinstance(address, IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or IPv6Network((address, _IPV6_PREFIX), strict=False))

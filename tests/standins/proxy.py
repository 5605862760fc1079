"""An HTTP proxy that passes plain requests on."""

import httpx

from standins.server import Asked, Handler, StandIn

_HOPS = {"connection", "proxy-connection", "keep-alive", "host", "content-length"}


class Proxy(StandIn):
    """Asks for the absolute address that it is given, without following redirects."""

    def answer(self, asked: Asked, handler: Handler) -> None:
        headers = {name: value for name, value in asked.headers.items() if name not in _HOPS}
        with httpx.Client(trust_env=False) as client:
            found = client.get(asked.target, headers=headers)
        kept = {name: value for name, value in found.headers.items() if name in _PASSED}
        kind = found.headers.get("content-type", "")
        more = {name.replace("-", "_"): value for name, value in kept.items()}
        handler.reply(found.status_code, found.content, kind, **more)


_PASSED = {"location", "etag", "content-range", "last-modified"}

"""An object store behind another server: addresses signed for some seconds, GET alone."""

import hashlib
import hmac
import time
from pathlib import Path

from standins.sending import send_file
from standins.server import Asked, Handler, StandIn

_KEY = b"the store's own"


class Storage(StandIn):
    """Holds files by name. HEAD, and a signature that is wrong or too old, end in 403."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.files: dict[str, Path] = {}

    def signed(self, name: str) -> str:
        until = f"{time.time() + self.seconds:.3f}"
        return f"{self.url}/{name}?until={until}&signature={_signature(name, until)}"

    def answer(self, asked: Asked, handler: Handler) -> None:
        name = asked.path.lstrip("/")
        until = asked.query.get("until", "0")
        fresh = float(until) >= time.time()
        signed = asked.query.get("signature") == _signature(name, until)
        if asked.method != "GET" or not signed or not fresh:
            handler.reply(403, b"<Error>AccessDenied</Error>", "application/xml")
        else:
            send_file(self, handler, name, self.files[name])


def _signature(name: str, until: str) -> str:
    return hmac.new(_KEY, f"{name} {until}".encode(), hashlib.sha256).hexdigest()[:16]

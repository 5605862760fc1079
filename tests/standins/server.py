"""A server in a thread: what it was asked, what it sent, and what is to go wrong."""

import threading
from collections import defaultdict
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from standins.faults import Fault


@dataclass
class Asked:
    """One request, and what came of it: the status and the bytes of a file that were sent."""

    method: str
    target: str
    headers: dict[str, str]
    name: str = ""
    status: int = 0
    sent: int = 0

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def range(self) -> str:
        return self.headers.get("range", "")


class StandIn:
    """A server on a port of its own, from `with` to its end.

    `faults` go by name, one per request, None for a request that is answered well. `pace` is in
    seconds per 16 KiB.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: defaultdict[str, list[Fault | None]] = defaultdict(list)
        self.pace = 0.0
        self.released = threading.Event()
        self._lock = threading.Lock()
        self._http = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def answer(self, asked: Asked, handler: "Handler") -> None:
        raise NotImplementedError

    def next_fault(self, name: str) -> Fault | None:
        with self._lock:
            return self.faults[name].pop(0) if self.faults[name] else None

    def of(self, name: str) -> list[Asked]:
        """The requests for the bytes of a file, without those that only ask for its size."""
        return [each for each in self.asked if each.name == name and each.range != "bytes=0-0"]

    def sent(self, name: str) -> int:
        """The bytes of a file that were sent, over all requests."""
        return sum(each.sent for each in self.of(name))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.released.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients of these tests hang up and are killed: nothing to report."""


class Handler(BaseHTTPRequestHandler):
    """One connection. `stand_in` decides, the methods answer."""

    protocol_version = "HTTP/1.1"
    stand_in: StandIn
    body = b""

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("content-length", "0")))
        self._serve()

    def do_PATCH(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.asked = Asked(self.command, self.path, headers)
        self.stand_in.asked.append(self.asked)
        self.stand_in.answer(self.asked, self)

    def log_message(self, *_: object) -> None:
        pass

    def reply(self, status: int, body: bytes = b"", kind: str = "text/plain", **more: str) -> None:
        """A whole answer; `more` are headers, with `_` for `-`."""
        self.head(status, len(body), kind, **more)
        if self.command != "HEAD":
            self.wfile.write(body)

    def head(self, status: int, length: int | None, kind: str, **more: str) -> None:
        self.asked.status = status
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Content-Type", kind)
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()


def _handler(stand_in: StandIn) -> type[Handler]:
    return type("BoundHandler", (Handler,), {"stand_in": stand_in})

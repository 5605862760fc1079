"""uvicorn's HTTP/1.1 with limits: its own waits for ever, and takes headers of any length."""

import asyncio
import json
import socket
import struct
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

# A body in chunks of one byte comes as six.
_FRAMING: Final = 8
_NO_LINGERING: Final = struct.pack("ii", 1, 0)
# As much as h11, nginx and Apache take by default, or more.
_HEADER_BYTES_MOST: Final = 64 * 1024


def _answer(status: HTTPStatus, detail: str, reason: str) -> bytes:
    body = json.dumps(
        {
            "type": "about:blank",
            "title": status.phrase,
            "status": status,
            "detail": detail,
            "reason": reason,
        }
    )
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "content-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\n"
        "connection: close\r\n\r\n"
    )
    return (head + body).encode()


_TOO_SLOW: Final = _answer(
    HTTPStatus.REQUEST_TIMEOUT, "the request took too long to arrive", "too_slow"
)
_TOO_LONG: Final = _answer(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    f"address and headers are longer than {_HEADER_BYTES_MOST:,} bytes",
    "too_many_bytes",
)

_MALFORMED: Final = _answer(HTTPStatus.BAD_REQUEST, "the request is not valid HTTP", "malformed")


class LimitedProtocol(HttpToolsProtocol):
    """Cuts off a connection whose request is not there, or whose answer is not taken, in time; and
    one whose headers do not end.

    The clock runs from the connection or the first byte of a later request to the last byte of the
    body. A connection between two requests has uvicorn's own limit.
    """

    receive_seconds = 30.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._due: float | None = None  # by the loop's clock
        self._timer: asyncio.TimerHandle | None = None
        self._unfinished = True  # a connection owes a request
        self._in_body = False
        # Of the message that has begun; what the parser holds back it does not tell otherwise.
        self._bytes, self._body_bytes = 0, 0
        self._answering: RequestResponseCycle | None = None
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)
        # uvicorn tells the newest of pipelined requests only, and this one would write on.
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()

    def data_received(self, data: bytes) -> None:
        if self._due is None:
            self._start_clock()
        self._bytes += len(data)
        super().data_received(data)
        if self._bytes - self._body_bytes > _HEADER_BYTES_MOST + _FRAMING * self._body_bytes:
            self._refuse(_TOO_LONG)
        elif not self._unfinished and self._is_answering() and not self.flow.write_paused:
            self._stop_clock()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._unfinished = True
        self._start_clock()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_body:  # what follows a body in chunks is of no use to anyone here
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_body = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._unfinished = self._in_body = False
        self._bytes, self._body_bytes = 0, 0

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._unread():
            self._start_clock()
        elif not self._unfinished:
            self._stop_clock()

    def send_400_response(self, msg: str) -> None:
        """To what cannot be parsed; uvicorn's own answer is plain text."""
        self._refuse(_MALFORMED)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start_clock()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._start_clock()

    def _start_clock(self) -> None:
        """A timer for each request would cost more than the rest of this class: one goes on until
        it finds nothing due."""
        self._due = self.loop.time() + self.receive_seconds
        if self._timer is None:
            self._timer = self.loop.call_at(self._due, self._look)

    def _stop_clock(self) -> None:
        self._due = None

    def _look(self) -> None:
        self._timer = None
        if self._due is None:
            return
        if self.loop.time() < self._due:
            self._timer = self.loop.call_at(self._due, self._look)
        else:
            self._due = None
            self._cut_off()

    def _cut_off(self) -> None:
        """End a connection that owes a request, or on which an answer is not taken."""
        idle = not self._is_answering() and self.timeout_keep_alive_task is None
        if self._unread() or self.transport.is_closing():
            self._hang_up()
        elif self._unfinished or idle:
            self._refuse(_TOO_SLOW)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _unread(self) -> bool:
        return self.flow.write_paused or self.transport.get_write_buffer_size() > 0

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _hang_up(self) -> None:
        """At once: the system would keep what was written for who does not read it."""
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
        self.transport.abort()

    def _refuse(self, answer: bytes) -> None:
        if self._in_body and self.cycle.response_started:
            self._hang_up()  # a second answer would not be understood
            return
        self.transport.write(answer)
        self.transport.close()
        self._start_clock()


def protocol_within(receive_seconds: float) -> type[LimitedProtocol]:
    """The class that uvicorn makes one of per connection."""
    return type("Protocol", (LimitedProtocol,), {"receive_seconds": receive_seconds})

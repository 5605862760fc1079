"""uvicorn's HTTP/1.1 with deadlines: it waits for ever for a client that sends or reads slowly."""

import asyncio
import json
from http import HTTPStatus
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_TOO_SLOW: Final = HTTPStatus.REQUEST_TIMEOUT
_BODY: Final = json.dumps(
    {
        "type": "about:blank",
        "title": _TOO_SLOW.phrase,
        "status": _TOO_SLOW,
        "detail": "the request took too long to arrive",
        "reason": "too_slow",
    }
).encode()
_ANSWER: Final = (
    f"HTTP/1.1 {_TOO_SLOW.value} {_TOO_SLOW.phrase}\r\n"
    "content-type: application/problem+json\r\n"
    f"content-length: {len(_BODY)}\r\n"
    "connection: close\r\n\r\n"
).encode() + _BODY


class DeadlineProtocol(H11Protocol):
    """Cuts off a connection whose request is not there, or whose answer is not taken, in time.

    The clock runs from the connection or the first byte of a later request to the last byte of the
    body. The connection between two requests has uvicorn's own limit. h11 bounds the headers.
    """

    receive_seconds = 30.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline: asyncio.TimerHandle | None = None
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deadline is None:
            self._start_clock()
        super().data_received(data)
        if self._is_complete():
            self._stop_clock()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start_clock()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_clock()

    def _is_complete(self) -> bool:
        """Whether nothing of a request is missing."""
        state: Any = self.conn.their_state
        return state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.ERROR)

    def _start_clock(self) -> None:
        self._stop_clock()
        self._deadline = self.loop.call_later(self.receive_seconds, self._cut_off)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cut_off(self) -> None:
        self._deadline = None
        answered = self.cycle is not None and self.cycle.response_started
        if self.flow.write_paused or (answered and self.conn.their_state is not h11.IDLE):
            self.transport.abort()  # nothing more would be read, or understood
            return
        self.transport.write(_ANSWER)
        self.transport.close()


def protocol_within(receive_seconds: float) -> type[DeadlineProtocol]:
    """The class that uvicorn makes one of per connection."""
    return type("Protocol", (DeadlineProtocol,), {"receive_seconds": receive_seconds})

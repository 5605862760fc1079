"""HTTP/1.1 with as little work as can be: requests are bytes made before, answers are counted.

A client that shares the cores with the server must not be what is measured.
"""

import asyncio
import re
from typing import Final

PATIENCE: Final = 60.0
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_CLOSING: Final = re.compile(rb"\r\nconnection: *close\r\n", re.IGNORECASE)


class Connection:
    """One connection that is kept, and opened anew where the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; the status and the body of the answer.

        Raises OSError, EOFError or ValueError for a connection that broke, TimeoutError for an
        answer that does not come.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._exchange(request)
        except BaseException:
            self.close()
            raise

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length is None:
            raise ValueError("an answer of unknown length")
        body = await reader.readexactly(int(length[1]))
        if _CLOSING.search(head):
            self.close()
        return int(head[9:12]), body

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def multipart(path: str, field: str, image: bytes) -> bytes:
    """A request that uploads an image in a form's field."""
    edge = b"----bench-serve-4f1c2a"
    part = (
        b'--%b\r\nContent-Disposition: form-data; name="%b"; filename="image.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n" % (edge, field.encode())
    )
    body = part + image + b"\r\n--%b--\r\n" % edge
    return _post(path, f"multipart/form-data; boundary={edge.decode()}", body)


def json_post(path: str, body: str) -> bytes:
    return _post(path, "application/json", body.encode())


def _post(path: str, kind: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body

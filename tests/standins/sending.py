"""A file as object stores send it: a range at a time, with a mark of its state, or with faults."""

import re
import time
from pathlib import Path

from standins.faults import Fault
from standins.server import Handler, StandIn

_CHUNK = 16 << 10
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_PAGE = b"<html><body>Please show that you are no robot</body></html>"


def send_file(
    stand_in: StandIn, handler: Handler, name: str, path: Path, ranges: bool = True
) -> None:
    """Answer with a file, or the range that is asked for, or the next fault of that name."""
    asked = handler.asked
    asked.name = name
    is_probe = asked.range == "bytes=0-0"
    fault = None if is_probe else stand_in.next_fault(name)
    if fault is not None and answer_fault(handler, fault):
        return
    if "if-range" in asked.headers:
        handler.reply(501, b"<Error>NotImplemented</Error>", "application/xml")
        return
    data, etag = path.read_bytes(), mark(path)
    header = asked.range if ranges else ""
    start, stop = _wanted(header, len(data))
    if start >= len(data) > 0:
        handler.reply(416, Content_Range=f"bytes */{len(data)}")
        return
    if fault is not None and fault.kind == "unsized":
        handler.head(200, None, "application/octet-stream", ETag=etag, Connection="close")
    elif header:
        span = f"bytes {start}-{stop - 1}/{len(data)}"
        handler.head(206, stop - start, "application/octet-stream", ETag=etag, Content_Range=span)
    else:
        handler.head(200, len(data), "application/octet-stream", ETag=etag)
    if handler.command != "HEAD":
        _send(stand_in, handler, data[start:stop], fault)
    if fault is not None and fault.then is not None:
        fault.then()


def mark(path: Path) -> str:
    """The ETag of a file: another one when its content is replaced."""
    stat = path.stat()
    return f'"{stat.st_size:x}-{stat.st_mtime_ns:x}"'


def answer_fault(handler: Handler, fault: Fault) -> bool:
    """Send the faults that are whole answers; whether it was one."""
    if fault.kind == "status":
        more = {"Retry_After": fault.retry_after} if fault.retry_after else {}
        handler.reply(fault.status, b"not now", **more)
    elif fault.kind == "empty":
        handler.reply(202)
    elif fault.kind == "html":
        handler.reply(200, _PAGE, "text/html; charset=utf-8")
    else:
        return False
    if fault.then is not None:
        fault.then()
    return True


def _wanted(header: str, size: int) -> tuple[int, int]:
    match = _RANGE.fullmatch(header)
    if not match:  # none, or several: the whole file
        return 0, size
    return int(match[1]), min(int(match[2]) + 1, size) if match[2] else size


def _send(stand_in: StandIn, handler: Handler, data: bytes, fault: Fault | None) -> None:
    if fault is not None and fault.kind == "wrong":
        data = bytes([data[0] ^ 1]) + data[1:]
    stopped = fault is not None and fault.kind in {"cut", "unsized", "stall"}
    body = memoryview(data[: fault.after] if fault is not None and stopped else data)
    size = _CHUNK if stand_in.pace else max(len(body), 1)
    for start in range(0, len(body), size):
        chunk = body[start : start + size]
        handler.wfile.write(chunk)
        handler.asked.sent += len(chunk)
        time.sleep(stand_in.pace)
    if stopped:
        handler.wfile.flush()
        handler.close_connection = True
    if fault is not None and fault.kind == "stall":
        stand_in.released.wait(20)

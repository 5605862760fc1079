"""A server of random bytes on loopback, in a process of its own: it must not share our interpreter.

Run as `python -m skincli.bench.loopback BYTES`; it prints its port, and ends with its input.
"""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np


@contextmanager
def loopback_server(size: int) -> Iterator[int]:
    """Serve the same `size` random bytes under every path; gives the port."""
    words = [sys.executable, "-m", "skincli.bench.loopback", str(size)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def random_bytes(size: int) -> bytes:
    """What the server sends."""
    return np.random.default_rng(0).bytes(size)


def _handler(content: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            start, stop = 0, len(content)
            if found:
                start, stop = int(found[1]), int(found[2] or stop - 1) + 1
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
            else:
                self.send_response(200)
            self.send_header("Content-Type", "application/zip")
            self.send_header("Content-Length", str(stop - start))
            self.end_headers()
            self.wfile.write(memoryview(content)[start:stop])

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    return Handler


def _serve(size: int) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(random_bytes(size)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))

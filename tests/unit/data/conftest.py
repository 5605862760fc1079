"""Mirrors of the drawn data, local and over HTTP, and a progress that remembers what it is told."""

import copy
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from skincli.config.schema import Config
from skincli.data.raw import FILES
from skincli.data.storage import SetFolder
from skincli.progress import Silent


class Remembering(Silent):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)


@pytest.fixture
def progress() -> Remembering:
    return Remembering()


@pytest.fixture
def own_config(synthetic_config: Config, tmp_path: Path) -> Config:
    """The drawn data in a folder of this test's own, to be changed and damaged."""
    config = copy.deepcopy(synthetic_config)
    config.data.root = str(tmp_path / "own")
    source = SetFolder.of(synthetic_config.data)
    shutil.copytree(source.raw, SetFolder.of(config.data).raw)
    return config


@pytest.fixture
def mirror_folder(synthetic_config: Config, tmp_path: Path) -> Path:
    """A folder in the published layout, filled with the drawn images."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    raw = SetFolder.of(synthetic_config.data).raw
    for name in FILES:
        shutil.copy(raw / name, folder / name)
    return folder


@pytest.fixture
def ham_config(mirror_folder: Path, tmp_path: Path) -> Config:
    config = Config()
    config.data.root = str(tmp_path / "data")
    config.data.mirror = str(mirror_folder)
    config.data.image_size = 32
    return config


@dataclass
class WebServer:
    """A real server on loopback. It hangs up, or stalls, after `cut[name]` bytes of a file."""

    folder: Path
    cut: dict[str, int] = field(default_factory=dict)
    stall: threading.Event | None = None
    honours_range: bool = True
    ranges: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    url: str = ""

    def version(self, path: Path) -> str:
        return f'"{path.stat().st_size}-{path.stat().st_mtime_ns}"'


def _handler(server: WebServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, body: bool) -> None:
            path = server.folder / self.path.lstrip("/")
            if not path.is_file():
                self.send_error(404)
                return
            data, start, version = path.read_bytes(), 0, server.version(path)
            wanted = self.headers.get("Range", "")
            fresh = self.headers.get("If-Range") == version
            if wanted and fresh and server.honours_range:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                server.ranges.append(f"{path.name} {start}")
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            else:
                self.send_response(200)
            self.send_header("ETag", version)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            if body:
                server.sent.append(path.name)
                self._send(path.name, data[start:])

        def _send(self, name: str, data: bytes) -> None:
            self.wfile.write(data[: server.cut.get(name)])
            if name in server.cut:
                if server.stall is not None:
                    server.stall.wait(10)
                self.close_connection = True

    return Handler


@pytest.fixture
def web(mirror_folder: Path) -> Iterator[WebServer]:
    """The mirror over HTTP."""
    server = WebServer(mirror_folder)
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}"
    yield server
    if server.stall is not None:
        server.stall.set()
    http.shutdown()
    thread.join()
    http.server_close()

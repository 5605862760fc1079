"""Servers to talk to: in a thread, or as a process of their own."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from skincli.config.schema import Config, ImageConfig
from skincli.config.serving import JournalConfig, LimitsConfig, ServeConfig
from skincli.serving.app import create_app
from skincli.serving.run import listen

PATIENCE = 60.0


def config_for(folder: Path) -> Config:
    """Small limits, so that passing them takes little."""
    return Config(
        image=ImageConfig(max_megabytes=1.0, max_megapixels=25.0),
        serve=ServeConfig(
            model=str(folder),
            limits=LimitsConfig(images=8, body_megabytes=3.0),
            journal=JournalConfig(uri=f"sqlite:///{folder.parent}/journal.db"),
        ),
    )


@contextmanager
def client_of(served: Config | FastAPI, host: str = "127.0.0.1") -> Iterator[httpx.Client]:
    """A client of a server that runs in a thread of this process and listens at `host`."""
    app = create_app(served) if isinstance(served, Config) else served
    listener = listen(host, 0)
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        with httpx.Client(
            base_url=f"http://{host}:{port}", trust_env=False, timeout=PATIENCE
        ) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


def free_port() -> int:
    with listen("127.0.0.1", 0) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def process(
    arguments: Sequence[str], folder: Path, **settings: str
) -> Iterator[subprocess.Popen[str]]:
    """A command run in `folder` with settings in its environment; killed if it does not end."""
    with subprocess.Popen(
        arguments,
        cwd=folder,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as started:
        try:
            yield started
        finally:
            if started.poll() is None:
                os.killpg(started.pid, signal.SIGKILL)


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if httpx.get(f"{url}/readyz", trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "the server did not become ready"
        time.sleep(0.05)


def wait_until_refused(port: int) -> None:
    """Wait until the server takes no new connections."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            return
        assert time.monotonic() < deadline, "the server still takes connections"
        time.sleep(0.05)

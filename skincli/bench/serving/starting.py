"""A server as a process of its own: started, waited for until it answers, and stopped whole."""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skincli.bench.serving.contenders import Contender
from skincli.bench.serving.load import OK
from skincli.errors import SkincliError

_START_SECONDS: Final = 90.0
_STOP_SECONDS: Final = 20.0
_SECONDS_BETWEEN_TRIES: Final = 0.01
_LINES_OF_LOG: Final = 20


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answered its first request after `ready_seconds`."""

    pid: int
    port: int
    ready_seconds: float


@contextmanager
def started(contender: Contender, request: bytes) -> Iterator[Running]:
    """A server in a session of its own, until the body ends.

    Raises SkincliError, with the end of its log, for one that does not answer `request`.
    """
    port, log, began = _free_port(), contender.folder / "server.log", time.perf_counter()
    with log.open("ab") as stream:
        process = subprocess.Popen(
            contender.words(port),
            env=contender.variables(port),
            cwd=contender.folder,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        if not _comes_up(process, port, request):
            raise _failure(contender, port, log)
        yield Running(process.pid, port, time.perf_counter() - began)
    finally:
        _stop(process)


def _comes_up(process: "subprocess.Popen[bytes]", port: int, request: bytes) -> bool:
    until = time.monotonic() + _START_SECONDS
    while not _answers(port, request):
        if process.poll() is not None or time.monotonic() > until:
            return False
        time.sleep(_SECONDS_BETWEEN_TRIES)
    return True


def _answers(port: int, request: bytes) -> bool:
    """Whether a request is answered with 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), _START_SECONDS) as wire:
            wire.sendall(request)
            answer = http.client.HTTPResponse(wire)
            answer.begin()
            answer.read()
            return answer.status == OK
    except (OSError, http.client.HTTPException):
        return False


def _failure(contender: Contender, port: int, log: Path) -> SkincliError:
    lines = log.read_text(errors="replace").splitlines()[-_LINES_OF_LOG:]
    return SkincliError(
        "\n".join([f"{contender.server.name} did not start", *lines]),
        f"it was started by `{' '.join(contender.words(port))}`",
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM to the server; what is left of its session, orphans too, is killed."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

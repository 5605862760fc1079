"""Starting, watching and stopping the tracking server."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skincli.config.operating import TrackingConfig
from skincli.errors import SkincliError, UsageError
from skincli.progress import Progress
from skincli.tracking.answering import answers, told_version
from skincli.tracking.locking import exclusively
from skincli.tracking.processes import process_token
from skincli.tracking.server.backend import Backend, served_backend
from skincli.tracking.server.checks import require_startable
from skincli.tracking.server.command import EVERYWHERE, server_command, server_environment
from skincli.tracking.server.state import (
    ServerState,
    forget_state,
    read_state,
    write_state,
)

_STOP_SECONDS: Final = 15
# Python warns of a child that is forgotten while it runs, as these are meant to.
_outliving: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """`answers` is whether `/health` does; `state` is None where none was started here.

    `version` is MLflow's, None where the server does not tell it to us.
    """

    running: bool
    answers: bool
    state: ServerState | None
    version: str | None = None


def start(config: TrackingConfig, progress: Progress) -> ServerState:
    """Start the server in a process group of its own and wait until it answers.

    Raises UsageError when it runs already or cannot be started as configured; SkincliError, after
    stopping it, when it does not answer in `tracking.start_timeout` seconds.
    """
    backend = served_backend(config)
    busy = "another command is starting the tracking server on this store"
    with exclusively(backend.home / "track.lock", busy, "`skincli track status` follows it"):
        found = read_state(backend.home)
        if found is not None and found.running:
            raise UsageError(
                f"the tracking server runs already at {found.address}", "`skincli track stop`"
            )
        require_startable(config, backend, progress)
        process, state = _spawn(config, backend)
        write_state(backend.home, state)
    try:
        _wait_until_it_answers(config, process, state, progress)
    except BaseException:
        stop(config)
        raise
    return state


def status(config: TrackingConfig) -> ServerStatus:
    """Whether the server that was started on this store runs, answers, and as which MLflow."""
    state = read_state(served_backend(config).home)
    if state is None or not state.running:
        return ServerStatus(False, False, state)
    if not answers(state.address):
        return ServerStatus(True, False, state)
    return ServerStatus(True, True, state, told_version(state.address))


def stop(config: TrackingConfig) -> bool:
    """Stop the server and all its workers; False when none was running."""
    home = served_backend(config).home
    state = read_state(home)
    running = state is not None and state.running
    if state is not None:
        _end(state)
        _reap(state)
    forget_state(home)
    return running


def wait(state: ServerState) -> None:
    """Wait as long as the server runs. Raises SkincliError when it ends by itself."""
    while state.running:
        time.sleep(0.5)
    raise SkincliError(
        f"the tracking server ended: {_last_line(Path(state.log))}",
        f"the whole log is in `{state.log}`",
    )


def _end(state: ServerState) -> None:
    deadline = time.monotonic() + _STOP_SECONDS
    with suppress(ProcessLookupError):
        if state.running:
            os.killpg(state.pid, signal.SIGTERM)
        while state.running and time.monotonic() < deadline:
            time.sleep(0.1)
        if state.running:
            os.killpg(state.pid, signal.SIGKILL)


def _reap(state: ServerState) -> None:
    for process in [each for each in _outliving if each.pid == state.pid]:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)  # its last threads may end after it
            _outliving.remove(process)


def _spawn(config: TrackingConfig, backend: Backend) -> tuple[subprocess.Popen[bytes], ServerState]:
    log = backend.home / "track.log"
    if log.exists():
        log.replace(log.with_suffix(".log.1"))  # why the last one ended
    with log.open("wb") as stream:
        process = subprocess.Popen(
            server_command(config, backend),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=server_environment(config, backend),
            start_new_session=True,
        )
    _outliving[:] = [*(each for each in _outliving if each.poll() is None), process]
    host = "127.0.0.1" if config.host in EVERYWHERE else config.host
    address = f"http://{host}:{config.port}"
    return process, ServerState(address, process_token(process.pid), str(log), backend.uri)


def _wait_until_it_answers(
    config: TrackingConfig, process: subprocess.Popen[bytes], state: ServerState, progress: Progress
) -> None:
    seconds = int(config.start_timeout)
    with progress.step("Starting the tracking server", seconds) as step:
        for _ in range(seconds):
            if process.poll() is not None:
                raise SkincliError(
                    f"the tracking server ended at once: {_last_line(Path(state.log))}",
                    f"the whole log is in `{state.log}`",
                )
            if answers(state.address):
                return
            time.sleep(1)
            step.advance()
    raise SkincliError(
        f"the tracking server did not answer within {seconds} s",
        f"see `{state.log}`; a slow machine needs a larger tracking.start_timeout",
    )


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "its log is empty"

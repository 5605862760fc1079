"""Starting, watching and stopping MLflow's tracking server on the configured SQLite store."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import httpx

from skincli.config.operating import TrackingConfig
from skincli.config.secrets import mask
from skincli.errors import SkincliError, UsageError
from skincli.progress import Progress
from skincli.tracking.processes import is_alive, process_token
from skincli.tracking.store import absolute_uri, artifact_folder, database_file, require_store
from skincli.tracking.writing import write_atomically

# Ten job processes less, and nothing sent home.
_ENVIRONMENT: Final = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
}
_STOP_SECONDS: Final = 15
# Python warns of a child that is forgotten while it runs, as these are meant to.
_outliving: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class ServerState:
    """A server that was started here: how to reach it, and which process it is."""

    address: str
    process: str
    log: str
    store: str

    @property
    def pid(self) -> int:
        return int(self.process.partition(":")[0])


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """`answers` is whether `/health` does; `state` is None where none was started here."""

    running: bool
    answers: bool
    state: ServerState | None


def start(config: TrackingConfig, progress: Progress) -> ServerState:
    """Start the server in a process group of its own and wait until it answers.

    Raises UsageError when it runs already, the port is taken or `tracking.uri` names a server;
    SkincliError, after stopping it, when it does not answer in `tracking.start_timeout` seconds.
    """
    database = _own_database(config)
    found = status(config)
    if found.running and found.state:
        raise UsageError(
            f"the tracking server runs already at {found.state.address}", "`skincli track stop`"
        )
    _require_free_port(config)
    database.parent.mkdir(parents=True, exist_ok=True)
    state_file = _state_file(config)
    state_file.parent.mkdir(parents=True, exist_ok=True)
    log = state_file.with_name("track.log")
    process = _spawn(config, log)
    address = f"http://{config.host}:{config.port}"
    state = ServerState(address, process_token(process.pid), str(log), absolute_uri(config))
    write_atomically(state_file, json.dumps(asdict(state), indent=1) + "\n")
    try:
        _wait_until_it_answers(config, process, state, progress)
    except BaseException:
        stop(config)
        raise
    return state


def status(config: TrackingConfig) -> ServerStatus:
    """Whether the server that was started on this store runs, and answers."""
    file = _state_file(config)
    if not file.is_file():
        return ServerStatus(False, False, None)
    state = ServerState(**json.loads(file.read_text()))
    running = is_alive(state.process)
    return ServerStatus(running, running and _answers(state.address), state)


def stop(config: TrackingConfig) -> bool:
    """Stop the server and all its workers; False when none was running."""
    found = status(config)
    if found.running and found.state:
        with suppress(ProcessLookupError):
            _end(found.state)
    if found.state:
        _reap(found.state)
    _state_file(config).unlink(missing_ok=True)
    return found.running


def wait(state: ServerState) -> None:
    """Wait as long as the server runs. Raises SkincliError when it ends by itself."""
    while is_alive(state.process):
        time.sleep(0.5)
    raise SkincliError(
        f"the tracking server ended: {_last_line(Path(state.log))}",
        f"the whole log is in `{state.log}`",
    )


def _end(state: ServerState) -> None:
    os.killpg(state.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while is_alive(state.process) and time.monotonic() < deadline:
        time.sleep(0.1)
    if is_alive(state.process):
        os.killpg(state.pid, signal.SIGKILL)


def _reap(state: ServerState) -> None:
    for process in [each for each in _outliving if each.pid == state.pid]:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)  # its last threads may end after it
            _outliving.remove(process)


def _own_database(config: TrackingConfig) -> Path:
    require_store(config)
    database = database_file(config)
    if database is None:
        raise UsageError(
            f"`tracking.uri` names a server already: {mask(config.uri)}",
            "set tracking.uri=sqlite:///FILE to say which store to serve",
        )
    return database


def _state_file(config: TrackingConfig) -> Path:
    return _own_database(config).parent / ".skincli" / "track.json"


def _require_free_port(config: TrackingConfig) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.host, config.port))
        except OSError as error:
            raise UsageError(
                f"{config.host}:{config.port} cannot be listened on: {error.strerror}",
                "choose another with tracking.port=PORT",
            ) from None


def _spawn(config: TrackingConfig, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mlflow", "server"]
    command += ["--backend-store-uri", absolute_uri(config)]
    command += ["--artifacts-destination", str(artifact_folder(config))]
    command += ["--host", config.host, "--port", str(config.port), "--workers", "1"]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=os.environ | _ENVIRONMENT,
            start_new_session=True,
        )
    _outliving[:] = [*(each for each in _outliving if each.poll() is None), process]
    return process


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
            if _answers(state.address):
                return
            time.sleep(1)
            step.advance()
    raise SkincliError(
        f"the tracking server did not answer within {seconds} s",
        f"see `{state.log}`; a slow machine needs a larger tracking.start_timeout",
    )


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "its log is empty"

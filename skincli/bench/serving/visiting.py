"""One round of one server: start it, wait for its first answer, put it under load, stop it."""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from skincli.bench.serving import processes
from skincli.bench.serving.contenders import Contender
from skincli.bench.serving.load import OK, Outcome, Plan
from skincli.bench.serving.records import Load, Visit
from skincli.errors import SkincliError

CONCURRENCIES: Final = (1, 8, 32)
# Of what the server answered in a second with eight clients: busy, and not yet a growing queue.
OPEN_SHARE: Final = 0.7
_CAPACITY_AT: Final = 8
_WARM_UP_SECONDS: Final = 1.0
_START_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 20.0
_LINES_OF_LOG: Final = 12

RunLoad = Callable[[Plan], Outcome]


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answered its first request after `ready_seconds`."""

    pid: int
    port: int
    ready_seconds: float


def visit(
    contender: Contender, number: int, files: Sequence[bytes], seconds: float, run: RunLoad
) -> Visit:
    """Round `number` of a server; each load lasts `seconds`, and `run` is the load generator.

    Raises SkincliError for a server that does not start.
    """
    requests = [contender.request(data) for data in files]
    with started(contender, requests[0]) as server:
        run(Plan(server.port, requests, min(seconds, _WARM_UP_SECONDS), CONCURRENCIES[-1]))
        plans = [Plan(server.port, requests, seconds, clients) for clients in CONCURRENCIES]
        loads = [_under_load(server, plan, run) for plan in plans]
        capacity = loads[CONCURRENCIES.index(_CAPACITY_AT)].requests_per_second
        rate = max(OPEN_SHARE * capacity, 1 / seconds)
        loads.append(_under_load(server, Plan(server.port, requests, seconds, rate=rate), run))
        memory = processes.memory_of(server.pid)
        return Visit(
            server=contender.server.name,
            round=number,
            ready_seconds=server.ready_seconds,
            loads=tuple(loads),
            processes=memory.processes,
            resident_megabytes=memory.resident / 1e6,
            largest_megabytes=memory.largest / 1e6,
            torch_loaded=processes.has_loaded(server.pid, "libtorch_cpu"),
        )


@contextmanager
def started(contender: Contender, request: bytes) -> Iterator[Running]:
    """A server in a session of its own, which is killed whole where it does not end."""
    port = _free_port()
    log = contender.folder / "server.log"
    with (
        log.open("ab") as stream,
        subprocess.Popen(
            contender.words(port),
            env=contender.variables(port),
            cwd=contender.folder,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        ) as process,
    ):
        began = time.perf_counter()
        try:
            _wait_for_answer(contender, process, port, request, log)
            yield Running(process.pid, port, time.perf_counter() - began)
        finally:
            _stop(process)


def _wait_for_answer(
    contender: Contender, process: "subprocess.Popen[bytes]", port: int, request: bytes, log: Path
) -> None:
    until = time.monotonic() + _START_SECONDS
    while not _answers(port, request):
        if process.poll() is not None or time.monotonic() > until:
            lines = log.read_text(errors="replace").splitlines()[-_LINES_OF_LOG:]
            raise SkincliError(
                f"{contender.server.name} did not start:\n" + "\n".join(lines),
                f"it was started by `{' '.join(contender.words(port))}`",
            )
        time.sleep(0.01)


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


def _under_load(server: Running, plan: Plan, run: RunLoad) -> Load:
    before = processes.cpu_seconds(server.pid)
    outcome = run(plan)
    spent = processes.cpu_seconds(server.pid) - before
    answered = len(outcome.latencies)
    return Load(
        arrivals="closed" if plan.rate is None else "open",
        concurrency=plan.concurrency,
        offered_per_second=plan.rate,
        answered=answered,
        errors=outcome.errors,
        requests_per_second=answered / outcome.seconds,
        p50_ms=_percentile(outcome.latencies, 50),
        p99_ms=_percentile(outcome.latencies, 99),
        server_cpu_ms=1000 * spent / answered if answered else None,
        client_cpu_ms=1000 * outcome.cpu_seconds / answered if answered else None,
    )


def _percentile(latencies: Sequence[float], share: float) -> float | None:
    return 1000 * float(np.percentile(latencies, share)) if latencies else None


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

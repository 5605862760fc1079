"""One round of one server: start it, wait for its first answer, put it under load, stop it."""

import json
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from skincli.bench.serving import processes
from skincli.bench.serving.contenders import Contender
from skincli.bench.serving.load import Outcome, Plan
from skincli.bench.serving.records import Load, Visit
from skincli.bench.serving.starting import Running, started

_CONCURRENCIES: Final = (1, 8, 32)
# Of what the server answered in a second with eight clients: busy, and not yet a growing queue.
_OPEN_SHARE: Final = 0.7
_CAPACITY_AT: Final = 8
_WARM_UP_SECONDS: Final = 1.0

RunLoad = Callable[[Plan], Outcome]


def visit(
    contender: Contender, number: int, files: Sequence[bytes], seconds: float, run: RunLoad
) -> Visit:
    """Round `number` of a server; each load lasts `seconds`, and `run` is the load generator.

    Raises SkincliError for a server that does not start.
    """
    requests = [contender.request(data) for data in files]
    with started(contender, requests[0]) as server:
        run(Plan(server.port, requests, min(seconds, _WARM_UP_SECONDS), _CONCURRENCIES[-1]))
        keep = contender.tells_times
        plans = [Plan(server.port, requests, seconds, n, None, keep) for n in _CONCURRENCIES]
        loads = [_under_load(server, plan, run) for plan in plans]
        capacity = loads[_CONCURRENCIES.index(_CAPACITY_AT)].requests_per_second
        rate = max(_OPEN_SHARE * capacity, 1 / seconds)
        loads.append(_under_load(server, Plan(server.port, requests, seconds, rate=rate), run))
        memory = processes.memory_of(server.pid)
        return Visit(
            server=contender.server.name,
            round=number,
            ready_seconds=server.ready_seconds,
            loads=tuple(loads),
            resident_megabytes=memory.resident / 1e6,
            process_megabytes=tuple(size / 1e6 for size in memory.processes),
            torch_loaded=processes.has_loaded(server.pid, "libtorch_cpu"),
        )


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
        beyond_p50_ms=_percentile(_beyond(outcome), 50),
        server_cpu_ms=1000 * spent / answered if answered else None,
        client_cpu_ms=1000 * outcome.cpu_seconds / answered if answered else None,
    )


def _beyond(outcome: Outcome) -> list[float]:
    """Seconds of each kept answer that went neither into decoding nor into the network."""
    times = [json.loads(answer)["predictions"][0]["timings"] for answer in outcome.answers]
    inside = [(one["decode_ms"] + one["network_ms"]) / 1000 for one in times]
    return [all_of_it - part for all_of_it, part in zip(outcome.latencies, inside, strict=False)]


def _percentile(seconds: Sequence[float], share: float) -> float | None:
    """In milliseconds."""
    return 1000 * float(np.percentile(seconds, share)) if seconds else None

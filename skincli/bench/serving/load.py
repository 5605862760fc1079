"""The load generator: clients that wait (a closed loop), or requests that do not (an open one).

It runs in a process of its own, so that its own work is known and disturbs nobody's interpreter.
"""

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from time import perf_counter, process_time
from typing import Final

import numpy as np

from skincli.bench.serving.client import Connection

OK: Final = 200
# As many as a server may hold; requests beyond wait for a free one, and the wait counts.
MOST_CONNECTIONS: Final = 48


@dataclass(frozen=True, slots=True)
class Plan:
    """`rate` requests per second that arrive at random; without, `concurrency` clients that wait.

    New requests are sent for `seconds`; what is under way then is waited for. With `keep_answers`
    the answers' bodies come back too.
    """

    port: int
    requests: Sequence[bytes]
    seconds: float
    concurrency: int = MOST_CONNECTIONS
    rate: float | None = None
    keep_answers: bool = False


@dataclass(slots=True)
class Outcome:
    """Latencies in seconds, and bodies, of what was answered with 200, and how many were not.

    `seconds` is until the last answer, `cpu_seconds` the load generator's own.
    """

    latencies: list[float] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    errors: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


def ignore_interrupt() -> None:
    """For the process of the load generator: its parent, who is interrupted too, ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def run_load(plan: Plan) -> Outcome:
    """Put a server on 127.0.0.1 under load."""
    outcome = Outcome()
    began, cpu = perf_counter(), process_time()
    asyncio.run(_closed(plan, outcome) if plan.rate is None else _open(plan, outcome, plan.rate))
    outcome.seconds, outcome.cpu_seconds = perf_counter() - began, process_time() - cpu
    return outcome


async def _closed(plan: Plan, outcome: Outcome) -> None:
    requests, until = cycle(plan.requests), perf_counter() + plan.seconds

    async def client() -> None:
        connection = Connection(plan.port)
        while (now := perf_counter()) < until:
            await _ask(connection, next(requests), now, plan, outcome)
        connection.close()

    await asyncio.gather(*(client() for _ in range(plan.concurrency)))


async def _open(plan: Plan, outcome: Outcome, rate: float) -> None:
    """A Poisson process. A request that finds no free connection waits, and the wait counts."""
    idle = [Connection(plan.port) for _ in range(plan.concurrency)]
    room, began = asyncio.Semaphore(plan.concurrency), perf_counter()

    async def ask(request: bytes, due: float) -> None:
        async with room:
            connection = idle.pop()
            await _ask(connection, request, due, plan, outcome)
            idle.append(connection)

    asked = []
    for request, due in zip(cycle(plan.requests), _arrivals(rate, plan.seconds), strict=False):
        await asyncio.sleep(max(0.0, began + due - perf_counter()))
        asked.append(asyncio.create_task(ask(request, began + due)))
    await asyncio.gather(*asked)
    for connection in idle:
        connection.close()


def _arrivals(rate: float, seconds: float) -> list[float]:
    """When requests are due, in seconds: the same times at each call, at least one."""
    count = max(1, round(rate * seconds))
    gaps = np.random.default_rng(0).exponential(1 / rate, count)
    times: list[float] = (np.cumsum(gaps) * seconds / gaps.sum()).tolist()
    return times


async def _ask(
    connection: Connection, request: bytes, due: float, plan: Plan, outcome: Outcome
) -> None:
    try:
        status, body = await connection.exchange(request)
    except (OSError, EOFError, ValueError):  # TimeoutError is an OSError
        outcome.errors += 1
        return
    if status != OK:
        outcome.errors += 1
        return
    outcome.latencies.append(perf_counter() - due)
    if plan.keep_answers:
        outcome.answers.append(body)

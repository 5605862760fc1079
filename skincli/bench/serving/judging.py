"""What the service has to reach beside the limit and its peers, and whether it does."""

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Final

from skincli.bench.serving.contenders import OURS
from skincli.bench.serving.records import Check, Limit, Load, Visit

_CPU_CLIENTS: Final = 8
_CPU_RATIO: Final = 1.15
_OVERHEAD_MS: Final = 3.0
_READY_SECONDS: Final = 3.0
_WORKER_MEGABYTES: Final = 350.0
# Our throughput over theirs: who, among whom the best one counts, and the least ratio.
_RIVALS: Final = (
    (1.5, ("FastAPI, torch", "LitServe, torch", "BentoML, torch", "MLflow, torch")),
    (1.1, ("LitServe, onnx", "BentoML, onnx", "MLflow, onnx")),
    (1.0, ("FastAPI, onnx",)),
)


def judge(visits: Sequence[Visit], limits: Sequence[Limit]) -> tuple[Check, ...]:
    """All checks. Ratios to the limit are taken round by round, for a round shares its weather."""
    ours = {visit.round: visit for visit in visits if visit.server == OURS}
    alone = {limit.round: limit for limit in limits if limit.processes == 1}
    full = {limit.round: limit for limit in limits if limit.processes > 1} or alone
    cpu = _median(
        _over(closed(visit, _CPU_CLIENTS).server_cpu_ms, full[number].cpu_ms)
        for number, visit in ours.items()
    )
    overhead = _median(
        None if (p50 := closed(visit, 1).p50_ms) is None else p50 - alone[number].p50_ms
        for number, visit in ours.items()
    )
    beyond = _of(ours, lambda visit: closed(visit, 1).beyond_p50_ms)
    return (
        _at_most(f"CPU per request with {_CPU_CLIENTS} clients, over the limit's", cpu, _CPU_RATIO),
        _at_most("p50 with 1 client beyond the limit's, ms", overhead, _OVERHEAD_MS),
        _at_most("p50 with 1 client beyond its own decode and network, ms", beyond, _OVERHEAD_MS),
        *(_beside(visits, names, least) for least, names in _RIVALS),
        _at_most("start to first answer, s", _of(ours, lambda v: v.ready_seconds), _READY_SECONDS),
        _at_most(
            "memory of the largest process, MB",
            _of(ours, lambda v: v.process_megabytes[0]),
            _WORKER_MEGABYTES,
        ),
        _at_most("processes with torch", _of(ours, lambda v: float(v.torch_loaded)), 0.0),
        _at_most("requests not answered", _of(ours, _errors), 0.0),
    )


def closed(visit: Visit, clients: int) -> Load:
    """The load of a number of clients that wait."""
    return next(x for x in visit.loads if (x.arrivals, x.concurrency) == ("closed", clients))


def throughput(visits: Iterable[Visit], server: str) -> float | None:
    """Requests per second at the concurrency that suits a server best, the median of its rounds."""
    rounds = [visit.loads for visit in visits if visit.server == server]
    by_load = zip(*rounds, strict=True)
    medians = [
        median(load.requests_per_second for load in loads)
        for loads in by_load
        if loads[0].arrivals == "closed"
    ]
    return max(medians, default=None)


def _beside(visits: Sequence[Visit], names: Sequence[str], least: float) -> Check:
    speeds = {name: speed for name in names if (speed := throughput(visits, name)) is not None}
    ours = throughput(visits, OURS)
    best = max(speeds, key=lambda name: speeds[name], default=None)
    title = f"requests/s over those of {best or ' or '.join(names)}"
    ratio = _over(ours, speeds[best]) if best else None
    complete = len(speeds) == len(names)
    met = ratio >= least if ratio is not None and complete else None
    return Check(title, ratio, "at least", least, met)


def _at_most(name: str, value: float | None, target: float) -> Check:
    return Check(name, value, "at most", target, None if value is None else value <= target)


def _of(ours: dict[int, Visit], figure: Callable[[Visit], float | None]) -> float | None:
    return _median(figure(visit) for visit in ours.values())


def _errors(visit: Visit) -> float:
    return float(sum(load.errors for load in visit.loads))


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _over(value: float | None, base: float) -> float | None:
    return None if value is None else value / base

"""Events of a spool as calls of MLflow: neighbours in one, nothing that a repetition changes."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from skincli.tracking.spool import Event

if TYPE_CHECKING:
    from mlflow import MlflowClient

BATCHED: Final = ("metrics", "tags", "params")
_EVENTS_AT_ONCE: Final = 50
_METRICS_AT_ONCE: Final = 500
_NAMES_AT_ONCE: Final = 100


def groups(events: Iterable[tuple[Event, int]]) -> Iterator[tuple[list[Event], int]]:
    """Neighbours that one call can carry, with the offset after them; others alone."""
    group: list[Event] = []
    end = 0
    for event, after in events:
        apart = event.kind not in BATCHED or (group and group[0].kind not in BATCHED)
        if group and (apart or len(group) == _EVENTS_AT_ONCE):
            yield group, end
            group = []
        group.append(event)
        end = after
    if group:
        yield group, end


def log_events(client: "MlflowClient", run_id: str, events: Sequence[Event]) -> None:
    """Log metrics, tags and parameters, of which those that the run has stay as they are."""
    from mlflow.entities import Metric, Param, RunTag

    named = {kind: _named(events, kind) for kind in ("tags", "params")}
    if named["params"]:
        there = client.get_run(run_id).data.params
        named["params"] = {k: v for k, v in named["params"].items() if k not in there}
    metrics = [
        Metric(name, value, event.time, event.step)
        for event in events
        if event.kind == "metrics"
        for name, value in event.values.items()
    ]
    for some in _parts(metrics, _METRICS_AT_ONCE):
        client.log_batch(run_id, metrics=some)
    for some in _parts([RunTag(*pair) for pair in named["tags"].items()], _NAMES_AT_ONCE):
        client.log_batch(run_id, tags=some)
    for some in _parts([Param(*pair) for pair in named["params"].items()], _NAMES_AT_ONCE):
        client.log_batch(run_id, params=some)


def _named(events: Iterable[Event], kind: str) -> dict[str, str]:
    return {name: text for e in events if e.kind == kind for name, text in e.values.items()}


def _parts(items: list[Any], size: int) -> Iterator[list[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def set_status(client: "MlflowClient", run_id: str, event: Event) -> None:
    """Tell that the run goes on, or that it ended and when."""
    status = event.values["status"]
    if status == "RUNNING":
        client.update_run(run_id, status)
    else:
        client.set_terminated(run_id, status, event.time)

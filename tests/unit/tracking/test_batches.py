"""Which events go to MLflow in one call, and that its limits on one are kept."""

import math

import pytest

from skincli.tracking.batches import groups, log_events
from skincli.tracking.spool import Event


class Client:
    """Notes calls; has the parameters `params` already."""

    def __init__(self, **params: str) -> None:
        self.info = self.data = self
        self.params = params
        self.calls: list[dict[str, list]] = []

    def get_run(self, _run_id):
        return self

    def log_batch(self, run_id, **batch):
        self.calls.append(batch)

    def sent(self, kind):
        return [item for call in self.calls for item in call.get(kind, [])]


def event(kind, values=None, step=0):
    return Event(kind=kind, values=values or {"path": "file"}, step=step, time=step)


def kinds(events):
    numbered = [(each, number) for number, each in enumerate(events, 1)]
    return [([each.kind for each in group], end) for group, end in groups(numbered)]


def test_neighbours_that_one_call_can_carry_go_together_and_others_alone():
    in_one = [event("tags"), event("params"), event("metrics")]
    assert kinds([]) == []
    assert kinds(in_one) == [(["tags", "params", "metrics"], 3)]
    assert kinds([event("status"), *in_one, event("artifact"), event("bundle"), *in_one]) == [
        (["status"], 1),
        (["tags", "params", "metrics"], 4),
        (["artifact"], 5),
        (["bundle"], 6),
        (["tags", "params", "metrics"], 9),
    ]


def test_a_long_spool_is_sent_in_parts_so_that_what_was_sent_is_noted_now_and_then():
    ends = [end for _, end in kinds([event("metrics")] * 120)]
    assert ends == [50, 100, 120]


def test_no_call_is_larger_than_mlflow_takes():
    events = [
        event("metrics", {f"m{n}": float(n) for n in range(700)}),
        event("params", {f"p{n}": str(n) for n in range(250)}),
        event("tags", {f"t{n}": str(n) for n in range(101)}),
    ]
    client = Client()
    log_events(client, "run", events)
    sizes = {
        kind: [len(call[kind]) for call in client.calls if kind in call]
        for kind in ("metrics", "params", "tags")
    }
    assert sizes == {"metrics": [500, 200], "params": [100, 100, 50], "tags": [100, 1]}
    assert {param.key: param.value for param in client.sent("params")} == events[1].values


def test_metrics_keep_their_own_step_and_time():
    client = Client()
    events = [event("metrics", {"loss": 0.5, "auc": math.nan}, step) for step in (3, 4)]
    log_events(client, "run", events)
    assert [(m.key, m.step, m.timestamp) for m in client.sent("metrics")] == [
        ("loss", 3, 3),
        ("auc", 3, 3),
        ("loss", 4, 4),
        ("auc", 4, 4),
    ]


def test_a_parameter_that_the_run_has_is_not_sent_again_and_the_last_tag_counts():
    client = Client(lr="0.1")
    log_events(
        client,
        "run",
        [
            event("params", {"lr": "0.2", "epochs": "3"}),
            event("tags", {"host": "a"}),
            event("tags", {"host": "b"}),
        ],
    )
    assert [(p.key, p.value) for p in client.sent("params")] == [("epochs", "3")]
    assert [(t.key, t.value) for t in client.sent("tags")] == [("host", "b")]


@pytest.mark.parametrize("kind", ["metrics", "tags", "params"])
def test_nothing_is_called_for_nothing(kind):
    client = Client()
    log_events(client, "run", [Event(kind=kind, values={})])
    assert client.calls == []

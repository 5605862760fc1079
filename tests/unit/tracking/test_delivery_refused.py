"""What a store does not take: passed over and named, or kept until it does."""

import pytest
from bundles import tiny_bundle
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from skincli.errors import SkincliError, UsageError
from skincli.tracking.delivery import Delivery
from skincli.tracking.spool import Event, Spool


@pytest.fixture
def tell(folder):
    def tell(kind, values, step=0):
        Spool(folder.spool).append(Event(kind=kind, values=values, step=step, time=step))

    return tell


@pytest.fixture
def delivery(config, folder):
    delivery = Delivery(config.tracking, folder)
    yield delivery
    delivery.close()


def send(delivery):
    delivery.send(lambda: True)


def test_what_is_refused_is_named_and_holds_nothing_else_up(delivery, tell, stored):
    tell("metrics", {"loss": 0.5}, 0)
    tell("metrics", {"loss": 0.4, "no; name": 1.0}, 1)
    tell("params", {"lr": "0.1", "no; name": "2"})
    tell("status", {"status": "FINISHED"})
    send(delivery)
    assert len(delivery.refused) == 2
    assert all("no; name" in reason for reason in delivery.refused)
    run = stored.run()
    assert (run.data.params, run.info.status) == ({"lr": "0.1"}, "FINISHED")
    assert stored.points("loss") == [(0, 0.5), (1, 0.4)]
    send(delivery)
    assert len(delivery.refused) == 2


def test_a_run_that_someone_deleted_is_not_made_again(delivery, tell, stored, config, folder):
    tell("metrics", {"loss": 0.5})
    send(delivery)
    client, run_id = stored.client, stored.run().info.run_id
    client.delete_run(run_id)
    tell("metrics", {"loss": 0.4}, 1)
    again = Delivery(config.tracking, folder)
    for each in (delivery, again):  # one that was under way, then a new one
        with pytest.raises(SkincliError, match=f"{run_id}` was deleted"):
            send(each)
        each.close()
        assert each.refused == []
    assert stored.runs() == []
    client.restore_run(run_id)
    send(again)
    again.close()
    assert stored.points("loss") == [(0, 0.5), (1, 0.4)]


def test_files_that_are_gone_or_damaged_are_named_and_passed_over(delivery, tell, stored, folder):
    bundle = tiny_bundle(folder.bundle)
    bundle.model.write_bytes(b"damaged")
    for kind, path in [("artifact", "no.png"), ("bundle", "bundle"), ("artifact", "config.yaml")]:
        tell(kind, {"path": path})
    send(delivery)
    assert len(delivery.refused) == 2
    assert "no.png` is there no more" in delivery.refused[0]
    assert stored.files() == {"config.yaml"}
    assert stored.models() == []


def test_files_that_cannot_be_sent_hold_no_figures_and_no_end_up(
    delivery, tell, stored, monkeypatch
):
    tell("artifact", {"path": "config.yaml"})
    tell("metrics", {"loss": 0.5})
    tell("status", {"status": "FINISHED"})
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_artifact", _fails(OSError("no room in the bucket")))
        for _ in range(2):
            with pytest.raises(SkincliError, match="no room in the bucket"):
                send(delivery)
    assert (stored.points("loss"), stored.run().info.status) == ([(0, 0.5)], "FINISHED")
    sent = delivery.sent
    send(delivery)
    assert stored.files() == {"config.yaml"}
    assert delivery.sent == sent + 1


@pytest.mark.parametrize(
    "trouble", [MlflowException("API request failed"), OSError("no route"), MlflowException("\n")]
)
def test_what_may_go_better_later_is_no_refusal(delivery, tell, stored, monkeypatch, trouble):
    tell("metrics", {"loss": 0.5})
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_batch", _fails(trouble))
        with pytest.raises(SkincliError, match=r"the tracking store .* failed"):
            send(delivery)
    assert delivery.refused == []
    send(delivery)
    assert stored.points("loss") == [(0, 0.5)]


def test_one_process_at_a_time_delivers_a_folder(delivery, tell, config, folder, stored):
    tell("metrics", {"loss": 0.5})
    send(delivery)
    second = Delivery(config.tracking, folder)
    with pytest.raises(UsageError, match="being sent by another process"):
        send(second)
    tell("metrics", {"loss": 0.4}, 1)
    delivery.close()
    send(second)
    with pytest.raises(UsageError, match="being sent by another process"):
        delivery.claim()
    second.close()
    assert stored.points("loss") == [(0, 0.5), (1, 0.4)]


def test_it_ends_between_two_calls_when_it_is_told_to_and_goes_on_from_there(
    delivery, tell, stored
):
    for step in range(60):
        tell("metrics", {"loss": 0.5}, step)
    answers = iter([True, False, False])
    delivery.send(lambda: next(answers))
    assert len(stored.points("loss")) == 50
    send(delivery)
    assert [step for step, _ in stored.points("loss")] == list(range(60))


def test_a_run_that_is_not_in_the_store_is_made_below_its_parent(config, stored, new_folder):
    found = {}
    parent = new_folder(name="search")
    child = new_folder(name="trial", parent=parent.state().run_id)
    for name, folder in (("search", parent), ("trial", child)):
        Spool(folder.spool).append(Event(kind="tags", values={"a": "b"}))
        delivery = Delivery(config.tracking, folder)
        send(delivery)
        delivery.close()
        found[name] = stored.client.get_run(delivery.run_id)
    assert {run.info.run_id for run in found.values()} == {r.info.run_id for r in stored.runs()}
    assert found["trial"].data.tags["mlflow.parentRunId"] == found["search"].info.run_id
    assert found["trial"].info.start_time == child.state().started_ms


def _fails(error):
    def fail(*_arguments, **_named):
        raise error

    return fail

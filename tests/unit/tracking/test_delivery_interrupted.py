"""However a delivery was cut off, the next one completes it: nothing twice, nothing lost."""

import pytest
from bundles import tiny_bundle
from dying import deliver

from skincli.tracking.models import DIGEST_TAG
from skincli.tracking.spool import Event, Spool
from skincli.tracking.stored_runs import RUN_TAG

# Calls that change the store, in the order in which the deliveries below make them.
OF_EVENTS = [
    *("create_experiment", "create_run", "log_batch", "update_run", "log_batch", "log_batch"),
    *("log_artifact", "log_artifact", "set_terminated"),
]
OF_A_BUNDLE = [
    *("create_logged_model", "log_model_artifacts", "finalize_logged_model", "set_tag"),
    "log_outputs",
]
MOMENTS = ("before", "after")


@pytest.fixture
def filled(folder):
    """What a short run leaves."""
    spool = Spool(folder.spool)

    def tell(kind, values, step=0):
        spool.append(Event(kind=kind, values=values, step=step, time=1000 + step))

    tell("tags", {RUN_TAG: folder.state().run_id, "skincli.data": "synthetic"})
    tell("status", {"status": "RUNNING"})
    tell("params", {"optimizer.lr": "0.1", "task": "binary"})
    tell("artifact", {"path": "config.yaml"})
    for step in range(3):
        folder.append_metrics({"epoch": step, "loss": step / 10})
        tell("metrics", {"loss": step / 10, "auc": float("nan")}, step)
    tell("artifact", {"path": "metrics.csv"})
    tell("status", {"status": "FINISHED"})
    return folder


def require_all_of(stored, folder):
    run = stored.run()
    assert (run.info.status, run.info.end_time) == ("FINISHED", 1000)
    assert run.info.run_name == "tiny"
    assert run.data.params == {"optimizer.lr": "0.1", "task": "binary"}
    assert run.data.tags[RUN_TAG] == folder.state().run_id
    assert run.data.tags["skincli.data"] == "synthetic"
    assert stored.points("loss") == [(0, 0.0), (1, 0.1), (2, 0.2)]
    assert [step for step, _ in stored.points("auc")] == [0, 1, 2]
    assert stored.files() == {"config.yaml", "metrics.csv"}


def test_a_delivery_is_these_calls_and_a_second_one_is_none(config, stored, filled):
    first, calls = deliver(config.tracking, filled)
    assert calls == OF_EVENTS
    assert first.sent == 9
    require_all_of(stored, filled)
    again, calls = deliver(config.tracking, filled)
    assert (again.sent, calls) == (0, [])


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("at", range(1, len(OF_EVENTS) + 1))
def test_cut_off_at_any_call_and_repeated_it_is_as_if_nothing_had_been(
    config, stored, filled, at, moment
):
    _, calls = deliver(config.tracking, filled, at, moment)
    assert calls == OF_EVENTS[: at - (moment == "before")]
    _, rest = deliver(config.tracking, filled)
    assert len(calls) + len(rest) <= len(OF_EVENTS) + (moment == "after")
    require_all_of(stored, filled)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("at", range(1, len(OF_A_BUNDLE) + 1))
def test_a_bundle_is_one_model_however_often_it_was_begun(config, stored, folder, at, moment):
    Spool(folder.spool).append(Event(kind="tags", values={"here": "yes"}))
    deliver(config.tracking, folder)
    bundle = tiny_bundle(folder.bundle)
    Spool(folder.spool).append(Event(kind="bundle", values={"path": "bundle"}))
    _, calls = deliver(config.tracking, folder, at, moment)
    assert calls == OF_A_BUNDLE[: at - (moment == "before")]
    if len(calls) < len(OF_A_BUNDLE):
        assert not stored.run().outputs.model_outputs  # nobody finds half of one
    deliver(config.tracking, folder)
    [model] = stored.models()
    run = stored.run()
    assert [output.model_id for output in run.outputs.model_outputs] == [model.model_id]
    assert model.status == "READY"
    assert model.tags[DIGEST_TAG] == run.data.tags[DIGEST_TAG] == bundle.digest


def test_a_note_that_is_damaged_or_lost_means_that_everything_is_sent_again(config, stored, filled):
    deliver(config.tracking, filled)
    for damage in ("", "{", '{"store": 1}', "[]"):
        filled.delivery.write_text(damage)
        deliver(config.tracking, filled)
        require_all_of(stored, filled)
    filled.delivery.unlink()
    deliver(config.tracking, filled)
    require_all_of(stored, filled)


def test_another_store_is_told_everything_from_the_beginning(config, stored, filled, tmp_path):
    deliver(config.tracking, filled)
    stored.client.delete_run(stored.run().info.run_id)
    filled.delivery.write_text(filled.delivery.read_text().replace("mlflow.db", "another.db"))
    assert stored.runs() == []
    deliver(config.tracking, filled)
    require_all_of(stored, filled)

"""`compare` where the evaluations are in the store and no longer, or never, on this machine."""

import pytest

from skincli.errors import ModelError
from skincli.evaluation.comparing import compare, compare_with_champion
from skincli.evaluation.evaluate import evaluate
from skincli.progress import Silent
from skincli.tracking.registry import move_alias, new_change, read_registry, register


def test_evaluations_come_from_the_store_where_they_are_not_at_hand(config, log_model, tmp_path):
    config.evaluate.resamples = 100
    (a, _), (b, _) = log_model(seed=0), log_model(seed=1)
    first = evaluate(config, a, Silent())
    with pytest.raises(ModelError, match="nor does the tracking store know of it"):
        compare(config, a, b, Silent())
    second = evaluate(config, b, Silent())
    at_hand = compare(config, a, b, Silent())
    elsewhere = tmp_path / "another machine"
    config.evaluate.root = str(elsewhere)
    fetched = compare(config, a, b, Silent())
    assert fetched == at_hand
    assert fetched.figures["accuracy"].a == pytest.approx(first.metrics.accuracy)
    assert fetched.figures["accuracy"].b == pytest.approx(second.metrics.accuracy)
    assert not elsewhere.exists()


def make_champion(config, run_id, bundle):
    version = register(config, run_id, bundle, run_id)
    move_alias(config, new_change(config, read_registry(config), "promote", version), {})
    return version


def test_a_champion_that_was_not_measured_on_these_images_is_measured_for_it(config, log_model):
    config.evaluate.resamples = 100
    config.registry.name = "compared"
    (a, _), (b, bundle) = log_model(seed=0), log_model(seed=1)
    evaluate(config, a, Silent())
    assert compare_with_champion(config, a, Silent()).obstacle == "there is no champion yet"
    version = make_champion(config, b, bundle)
    found = compare_with_champion(config, a, Silent()).compared
    assert (found.a, found.b) == (a, f"models:/compared/{version}")
    assert found == compare(config, a, f"models:/compared/{version}", Silent())


def test_a_champion_that_cannot_be_compared_is_an_answer_and_a_model_not_evaluated_an_error(
    config, log_model
):
    config.evaluate.resamples = 100
    config.registry.name = "of another task"
    (a, _), (b, bundle) = log_model(seed=0), log_model(task="binary")
    make_champion(config, b, bundle)
    with pytest.raises(ModelError, match="was not evaluated"):
        compare_with_champion(config, a, Silent())
    evaluate(config, a, Silent())
    found = compare_with_champion(config, a, Silent())
    assert found.compared is None
    assert found.obstacle.startswith("version 1 cannot be compared: ")

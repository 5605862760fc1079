"""Evaluation, promotion and rollback against a real SQLite store."""

import json
import shutil
from pathlib import Path

import mlflow
import numpy as np
import pytest
from bundles import tiny_bundle

from skincli.errors import GateError, ModelError, SkincliError, UsageError
from skincli.evaluation.evaluate import evaluate
from skincli.progress import Silent
from skincli.promotion.promote import promote, rollback
from skincli.tracking.registry import current_version, history, list_versions
from skincli.tracking.resolve import resolve
from skincli.tracking.store import connect


def evaluated(config, log_model, seed):
    run_id, bundle = log_model(seed)
    result = evaluate(config, run_id, Silent())
    assert result.published
    return run_id, bundle, result.metrics.balanced_accuracy


@pytest.fixture
def ranked(config, log_model):
    """Two evaluated models, the worse first."""
    worse, better = evaluated(config, log_model, 10), evaluated(config, log_model, 0)
    assert worse[2] < better[2], "the tiny models must differ for these tests to mean much"
    return worse, better


def test_a_model_is_promoted_on_evidence_and_only_on_it(config, log_model, ranked):
    (worse, _, low), (better, best, high) = ranked
    first = promote(config, worse, Silent())
    assert (first.version, first.before, first.forced) == ("1", None, False)
    second = promote(config, better, Silent())
    assert (second.version, second.before) == ("2", "1")
    assert current_version(config).digest == best.digest
    assert current_version(config).metrics["balanced_accuracy"] == pytest.approx(high)
    with pytest.raises(GateError, match=f"{low:.3f} against {high:.3f}"):
        promote(config, worse, Silent())
    assert current_version(config).version == "2"
    with pytest.raises(UsageError, match="needs a reason"):
        promote(config, worse, Silent(), force=True, reason="  ")
    forced = promote(config, worse, Silent(), force=True, reason="a drill")
    assert (forced.version, forced.forced) == ("1", True)
    last = history(config)[-1]
    assert (last.reason, last.forced, last.before, last.after) == ("a drill", True, "2", "1")
    assert last.who
    unevaluated, _ = log_model(9)
    with pytest.raises(GateError, match="none on split"):
        promote(config, unevaluated, Silent())


def test_a_changed_split_asks_for_a_new_evaluation(config, log_model):
    run_id, _, _ = evaluated(config, log_model, 0)
    config.data.parts.seed = 5
    with pytest.raises(GateError, match="none on split"):
        promote(config, run_id, Silent())
    assert list_versions(config) == []


def test_rollback_undoes_and_undoes_again(config, ranked):
    (worse, _, _), (better, _, _) = ranked
    with pytest.raises(ModelError, match="has no champion"):
        rollback(config)
    promote(config, worse, Silent())
    with pytest.raises(ModelError, match="no earlier champion"):
        rollback(config)
    promote(config, better, Silent())
    assert rollback(config).version == "1"
    with pytest.raises(ModelError, match="no earlier champion"):
        rollback(config)
    assert rollback(config, "2").version == "2"
    with pytest.raises(ModelError, match="no version 7"):
        rollback(config, "7")
    assert [c.action for c in history(config)] == ["promote", "promote", "rollback", "rollback"]


def test_another_task_cannot_replace_the_champion_by_scoring_higher(config, log_model):
    run_id, _, low = evaluated(config, log_model, 0)
    promote(config, run_id, Silent())
    binary, _ = log_model(0, "binary")
    assert evaluate(config, binary, Silent()).metrics.balanced_accuracy > low
    with pytest.raises(GateError, match="another task"):
        promote(config, binary, Silent())


def test_rollback_reaches_only_what_was_champion(config, log_model):
    first, _, _ = evaluated(config, log_model, 10)
    second, _, _ = evaluated(config, log_model, 0)
    promote(config, first, Silent())
    promote(config, second, Silent())
    client = connect(config.tracking)
    never, _ = log_model(5)
    model_id = client.get_run(never).outputs.model_outputs[0].model_id
    client.create_model_version(config.registry.name, f"models:/{model_id}", run_id=never)
    with pytest.raises(GateError, match="never champion"):
        rollback(config, "3")
    # Someone moves the alias by hand: back means before that version, not the newest one.
    client.set_registered_model_alias(config.registry.name, "champion", "1")
    with pytest.raises(ModelError, match="no earlier champion"):
        rollback(config)


def test_a_lost_champion_can_be_replaced(config, ranked, tmp_path, monkeypatch):
    (worse, _, _), (better, best, _) = ranked
    promote(config, worse, Silent())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    model_id = connect(config.tracking).get_run(worse).outputs.model_outputs[0].model_id
    [stored] = (tmp_path / "mlartifacts").rglob(model_id)
    shutil.rmtree(stored)
    with pytest.raises(SkincliError):
        resolve(config, "models:/skin-lesion@champion")
    assert promote(config, better, Silent()).version == "2"
    assert current_version(config).digest == best.digest


def test_a_damaged_cache_mends_itself(config, log_model):
    run_id, bundle = log_model(0)
    cached = resolve(config, run_id).bundle
    cached.model.write_bytes(b"damaged")
    assert resolve(config, run_id).bundle.digest == bundle.digest
    assert cached.model.read_bytes() == bundle.model.read_bytes()


def test_a_version_registered_by_hand_is_promoted_after_the_same_checks(config, log_model):
    run_id, bundle = log_model(0)
    client = connect(config.tracking)
    model_id = client.get_run(run_id).outputs.model_outputs[0].model_id
    client.create_registered_model(config.registry.name)
    client.create_model_version(config.registry.name, f"models:/{model_id}", run_id=run_id)
    uri = f"models:/{config.registry.name}/1"
    with pytest.raises(GateError):
        promote(config, uri, Silent())
    evaluate(config, uri, Silent())
    assert promote(config, uri, Silent()).version == "1"
    assert current_version(config).digest == bundle.digest


def test_a_model_goes_by_every_name(config, ranked, tmp_path, monkeypatch):
    _, (better, bundle, _) = ranked
    promote(config, better, Silent())
    names = (better, "models:/skin-lesion@champion", "models:/skin-lesion/1", str(bundle.folder))
    monkeypatch.chdir(tmp_path)
    for name in names:
        assert resolve(config, name).bundle.digest == bundle.digest
    for wrong in ("models:/skin-lesion/9", "models:/other@champion", "f" * 32, "no/such/folder"):
        with pytest.raises(ModelError, match="there is no"):
            resolve(config, wrong)
    with pytest.raises(ModelError, match="names no model"):
        resolve(config, "models:/skin-lesion")


def test_tampering_in_the_store_is_noticed(config, ranked, tmp_path, monkeypatch):
    _, (better, bundle, _) = ranked
    promote(config, better, Silent())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    [stored] = [
        p for p in (tmp_path / "mlartifacts").rglob("bundle.json")
        if p.read_bytes() == (bundle.folder / "bundle.json").read_bytes()
    ]  # fmt: skip
    content = json.loads(stored.read_text())
    stored.write_text(json.dumps(content | {"operating_point": 0.99}))
    with pytest.raises(ModelError, match="not the one that was registered"):
        resolve(config, "models:/skin-lesion@champion")
    stored.with_name("model.onnx").write_bytes(b"evil")
    with pytest.raises(ModelError, match="SHA-256 differs"):
        resolve(config, "models:/skin-lesion@champion")
    assert not list((tmp_path / "another machine").rglob("fetch-*"))


def test_mlflow_itself_can_load_the_model(config, log_model):
    run_id, bundle = log_model(0)
    client = connect(config.tracking)
    model_id = client.get_run(run_id).outputs.model_outputs[0].model_id
    loaded = mlflow.pyfunc.load_model(f"models:/{model_id}")
    size = bundle.spec.image_size
    answer = loaded.predict({"images": np.zeros((3, size, size, 3), np.uint8)})
    assert answer["logits"].shape == (3, 7)


def test_an_evaluation_is_in_the_run_and_in_the_folder(config, log_model):
    run_id, _ = log_model(0)
    result = evaluate(config, run_id, Silent())
    client = connect(config.tracking)
    metrics = client.get_run(run_id).data.metrics
    assert metrics["test_balanced_accuracy"] == pytest.approx(result.metrics.balanced_accuracy)
    [folder] = client.list_artifacts(run_id, "evaluation")
    names = {Path(item.path).name for item in client.list_artifacts(run_id, folder.path)}
    assert names == {path.name for path in result.folder.iterdir()}
    shutil.rmtree(result.folder)
    assert promote(config, run_id, Silent()).version == "1"


def test_a_store_that_is_no_database_is_said_in_plain_words(config, tmp_path):
    (tmp_path / "mlflow.db").write_text("this is no database, and long enough to be taken for one")
    with pytest.raises(SkincliError, match="tracking store"):
        list_versions(config)


def test_a_server_that_does_not_answer_is_said_at_once(config):
    config.tracking.uri = "http://127.0.0.1:9"
    with pytest.raises(SkincliError, match="does not answer") as caught:
        list_versions(config)
    assert "skincli track start" in caught.value.hint


def test_a_model_of_an_official_split_is_never_promoted(config, tmp_path):
    bundle = tiny_bundle(tmp_path / "official", split="official")
    for words in ({}, {"force": True, "reason": "because"}):
        with pytest.raises(GateError, match=r"official split that may leak \(its parts leak\)"):
            promote(config, str(bundle.folder), Silent(), **words)
    assert current_version(config) is None

"""Models in a real SQLite store: found by every name, verified, said plainly when they are not."""

import json
import shutil
from pathlib import Path

import mlflow
import numpy as np
import pytest

from skincli.errors import GateError, ModelError, SkincliError
from skincli.evaluation.evaluate import evaluate
from skincli.progress import Silent
from skincli.promotion.promote import promote
from skincli.tracking.registry import move_alias, new_change, read_registry, register
from skincli.tracking.resolve import resolve
from skincli.tracking.store import connect


@pytest.fixture
def champion(config, log_model):
    """The run id and bundle of a version that the alias points to."""
    run_id, bundle = log_model(0)
    version = register(config, run_id, bundle, run_id)
    move_alias(config, new_change(config, read_registry(config), "promote", version), {})
    return run_id, bundle


def test_a_damaged_cache_mends_itself(config, log_model):
    run_id, bundle = log_model(0)
    cached = resolve(config, run_id).bundle
    cached.model.write_bytes(b"damaged")
    assert resolve(config, run_id).bundle.digest == bundle.digest
    assert cached.model.read_bytes() == bundle.model.read_bytes()


def test_a_model_goes_by_every_name(config, champion, tmp_path, monkeypatch):
    run_id, bundle = champion
    names = (run_id, "models:/skin-lesion@champion", "models:/skin-lesion/1", str(bundle.folder))
    monkeypatch.chdir(tmp_path)
    for name in names:
        assert resolve(config, name).bundle.digest == bundle.digest
    for wrong in ("models:/skin-lesion/9", "models:/other@champion", "f" * 32, "no/such/folder"):
        with pytest.raises(ModelError, match="there is no"):
            resolve(config, wrong)
    with pytest.raises(ModelError, match="names no model"):
        resolve(config, "models:/skin-lesion")


def test_tampering_in_the_store_is_noticed(config, champion, tmp_path, monkeypatch):
    _, bundle = champion
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


def test_an_evaluation_is_in_the_run_and_a_version_made_by_hand_passes_the_same_gate(
    config, log_model
):
    run_id, bundle = log_model(0)
    client = connect(config.tracking)
    model_id = client.get_run(run_id).outputs.model_outputs[0].model_id
    client.create_registered_model(config.registry.name)
    client.create_model_version(config.registry.name, f"models:/{model_id}", run_id=run_id)
    uri = f"models:/{config.registry.name}/1"
    with pytest.raises(GateError, match="not measured"):
        promote(config, uri, Silent())
    result = evaluate(config, uri, Silent())
    metrics = client.get_run(run_id).data.metrics
    assert metrics["test_balanced_accuracy"] == pytest.approx(result.metrics.balanced_accuracy)
    [folder] = client.list_artifacts(run_id, "evaluation")
    names = {Path(item.path).name for item in client.list_artifacts(run_id, folder.path)}
    assert names == {path.name for path in result.folder.iterdir()}
    shutil.rmtree(result.folder)
    assert promote(config, uri, Silent(), force=True, reason="a guess").version == "1"
    assert read_registry(config).current("champion").digest == bundle.digest


def test_a_store_that_is_no_database_is_said_in_plain_words(config, tmp_path):
    (tmp_path / "mlflow.db").write_text("this is no database, and long enough to be taken for one")
    with pytest.raises(SkincliError, match="tracking store"):
        read_registry(config)


def test_a_server_that_does_not_answer_is_said_at_once(config):
    config.tracking.uri = "http://127.0.0.1:9"
    with pytest.raises(SkincliError, match="does not answer") as caught:
        read_registry(config)
    assert "skincli track start" in caught.value.hint

"""A running service and its registry: swaps under load, bad versions, a registry that is away."""

import io
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import Load, Service, service, wait_for

from skincli.bundle import seal
from skincli.config.schema import Config
from skincli.progress import Silent
from skincli.tracking.models import DIGEST_TAG
from skincli.tracking.registry import register
from skincli.tracking.runs import recorded_run
from skincli.tracking.store import connect


@pytest.fixture(scope="module")
def image() -> bytes:
    stream = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (45, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def versions(config: Config, log_model):
    """Two versions, the first of them champion."""
    bundles = {}
    for seed in (1, 2):
        run_id, bundle = log_model(seed)
        bundles[register(config, run_id, bundle, run_id)] = bundle
    point(config, "1")
    return bundles


def point(config: Config, version: str) -> None:
    client = connect(config.tracking)
    client.set_model_version_tag(config.registry.name, version, "skincli.test_macro_auroc", "0.75")
    client.set_registered_model_alias(config.registry.name, config.registry.alias, version)


def following(config: Config, folder: Path, *settings: str):
    words = (f"tracking.uri={config.tracking.uri}", "serve.poll_seconds=0.1", *settings)
    return service(folder, *words, XDG_CACHE_HOME=str(folder / "cache"))


def test_twenty_swaps_under_load_fail_no_request(config, versions, image, tmp_path):
    with following(config, tmp_path) as served:
        wait_for(served.is_ready, "ready")
        with Load(served.url, image).running(clients=4) as load:
            for swap in range(20):
                version = "21"[swap % 2]
                point(config, version)
                wait_for(lambda v=version: served.version() == v, f"version {version}")
        assert load.failures == []
        assert served.metric("skincli_models_taken_total") == 21
        assert served.metric("skincli_model") == 1
        assert served.get("/v1/model").json()["metrics"] == {"macro_auroc": 0.75}
        assert served.stop() == 0
    digests = {version: bundle.digest for version, bundle in versions.items()}
    said = {answer["model"]["version"]: [] for answer in load.answers}
    assert set(said) == {"1", "2"}
    for answer in load.answers:
        assert answer["model"]["digest"] == digests[answer["model"]["version"]]
        said[answer["model"]["version"]].append(answer["predictions"][0]["probabilities"])
    # An answer is wholly of the model that it names.
    for answers in said.values():
        assert all(answer == answers[0] for answer in answers)
    assert said["1"][0] != said["2"][0]


def bad_version(config: Config, log_model) -> str:
    """A version whose network is whole but whose answers are no numbers."""
    with recorded_run(config, "bad", "", None, Silent()) as recorder:
        _, bundle = log_model(3)
        lineage = replace(bundle.spec.lineage, run_id=recorder.run_id)
        spec = replace(bundle.spec, temperature=float("nan"), lineage=lineage)
        bad = seal(bundle.folder, spec, {"key": "", "files": [], "lesions": []})
        recorder.bundle(bad)
    return register(config, recorder.run_id, bad, recorder.run_id)


def tampered_version(config: Config, log_model) -> str:
    run_id, bundle = log_model(4)
    version = register(config, run_id, bundle, run_id)
    sealed = (bundle.folder / "bundle.json").read_bytes()
    store = Path(config.tracking.uri.removeprefix("sqlite:///")).with_name("mlartifacts")
    [stored] = [file for file in store.rglob("bundle.json") if file.read_bytes() == sealed]
    stored.with_name("model.onnx").write_bytes(b"evil")
    return version


def version_without_digest(config: Config, log_model) -> str:
    run_id, bundle = log_model(5)
    version = register(config, run_id, bundle, run_id)
    connect(config.tracking).delete_model_version_tag(config.registry.name, version, DIGEST_TAG)
    return version


def assert_refused(served: Service, version: str) -> None:
    wait_for(lambda: served.metric("skincli_version_refused") == 1, f"{version} refused")
    assert served.version() == "1"
    assert "was refused" in served.get("/readyz").json()["registry"]


def test_bad_versions_leave_the_old_one_serving_and_are_told(
    config, versions, image, log_model, tmp_path
):
    bad, tampered = bad_version(config, log_model), tampered_version(config, log_model)
    unsigned = version_without_digest(config, log_model)
    with following(config, tmp_path) as served:
        wait_for(served.is_ready, "ready")
        with Load(served.url, image).running(clients=1) as load:
            for version, words in (
                (bad, "self-test"),
                (tampered, "SHA-256 differs"),
                (unsigned, "without its digest"),
            ):
                point(config, version)
                assert_refused(served, version)
                assert f"still serving models:/{config.registry.name}/1" in served.log
                assert words in served.log
                point(config, "1")
                wait_for(lambda: served.metric("skincli_version_refused") == 0, "mended")
        assert load.failures == []
        assert str(tmp_path) not in served.get("/v1/model").text
        point(config, "2")
        wait_for(lambda: served.version() == "2", "version 2")


def test_with_the_registry_away_the_last_verified_version_is_served(config, versions, tmp_path):
    database = Path(config.tracking.uri.removeprefix("sqlite:///"))
    kept = database.with_suffix(".kept")
    with following(config, tmp_path) as served:
        wait_for(served.is_ready, "ready")
        database.rename(kept)
        database.write_text("no database")
        wait_for(lambda: served.metric("skincli_registry_away") == 1, "noticed that it went")
        assert served.is_ready()
    with following(config, tmp_path) as served:
        wait_for(served.is_ready, "ready without the registry")
        wait_for(lambda: served.metric("skincli_registry_away") == 1, "noticed that it is away")
        assert "no answer since" in served.get("/v1/model").json()["registry"]
        assert served.version() == "1"
        shutil.copyfile(kept, database)
        wait_for(lambda: served.metric("skincli_registry_away") == 0, "noticed that it is back")
        assert served.get("/readyz").json()["registry"] == "followed"


def test_a_damaged_cache_is_fetched_again(config, versions, tmp_path):
    with following(config, tmp_path) as served:
        wait_for(served.is_ready, "ready")
    model = tmp_path / "cache" / "skincli" / "bundles" / versions["1"].digest / "model.onnx"
    model.write_bytes(b"x")
    with following(config, tmp_path) as served:
        wait_for(served.is_ready, "ready again")
        assert served.version() == "1"


def test_only_the_registry_process_knows_mlflow_and_none_knows_torch(config, versions, tmp_path):
    with following(config, tmp_path) as served:
        wait_for(served.is_ready, "ready")
        [worker] = served.workers()
        [registry] = served.children() - {worker}
        maps = {pid: Path(f"/proc/{pid}/maps").read_text() for pid in (worker, registry)}
        assert not any("torch" in text for text in maps.values())
        # What MLflow brings along, and nothing else here.
        assert "google/_upb" in maps[registry]
        assert "google/_upb" not in maps[worker]
        assert "pandas" not in maps[worker]

"""The server of a team behind a domain: PostgreSQL, a bucket, users; all of it real, on loopback."""

import copy
import json
import time

import httpx
import psycopg
import pytest
from commands import skincli, spawn
from services import USER, bucket_service, free_port, postgres

from skincli.config.load import to_yaml

PASSWORD = "a database's password"
ADMIN = "the admin's own password"
BUCKET = "of-the-team"
DOMAIN = "tracking.test"


@pytest.fixture(scope="module")
def database():
    with postgres(PASSWORD) as service:
        yield service


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    """Where the bucket's files lie, and the address of its service."""
    folder = tmp_path_factory.mktemp("s3")
    (folder / BUCKET).mkdir()
    with bucket_service(folder, "the-key", "its-secret") as address:
        yield folder / BUCKET, address


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    """The environment of whoever starts the server, and of nobody else."""
    return {
        "PGUSER": USER,
        "PGPASSWORD": PASSWORD,
        "AWS_ACCESS_KEY_ID": "the-key",
        "AWS_SECRET_ACCESS_KEY": "its-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "any long random text",
        "XDG_STATE_HOME": str(tmp_path_factory.mktemp("state")),
    }


@pytest.fixture(scope="module")
def settings(database, bucket):
    return (
        "tracking=online",
        f"tracking.backend={database.uri('tracking')}",
        f"tracking.artifacts=s3://{BUCKET}/mlflow",
        f"tracking.s3_endpoint={bucket[1]}",
        "tracking.host=127.0.0.1",
        f"tracking.port={free_port()}",
        f"tracking.allowed_hosts=[{DOMAIN}]",
    )


@pytest.fixture(scope="module")
def team(database, settings, secrets, tmp_path_factory):
    """The address of the server, started by the command."""
    folder = tmp_path_factory.mktemp("host")
    with psycopg_of(database, "postgres") as connection:
        connection.execute("create database tracking")
    started = skincli(folder, "track", "start", "--background", *settings, "--json", **secrets)
    yield started.data["address"]
    assert skincli(folder, "track", "stop", *settings, **secrets).out == "Stopped\n"


def psycopg_of(database, name):
    return psycopg.connect(
        database.uri(name), user=USER, password=PASSWORD, autocommit=True, connect_timeout=10
    )


@pytest.fixture
def user():
    return {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": ADMIN}


@pytest.fixture
def project(team, synthetic_config, tmp_path):
    """A working folder of someone who knows the server's address and nothing of what is behind."""
    config = copy.deepcopy(synthetic_config)
    config.tracking.uri = team
    config.model.backbone, config.model.pretrained, config.model.width = "small_resnet", False, 8
    config.trainer.accelerator = "cpu"
    config.trainer.max_epochs, config.optimizer.lr = 2, 0.003
    (tmp_path / "skincli.yaml").write_text(to_yaml(config))
    return tmp_path


def test_a_model_is_trained_promoted_and_served_over_http(project, bucket, user, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(project / "cache"))
    run_id = skincli(project, "train", "--json", **user).data["run_id"]
    skincli(project, "evaluate", run_id, **user)
    why = ("--force", "--reason", "two epochs only")
    assert "champion" in skincli(project, "promote", run_id, *why, **user).out
    kept = [path.name for path in bucket[0].rglob("*") if path.is_file()]
    assert kept.count("model.onnx") == 1
    assert {"bundle.json", "curves.png", "evaluation.json"} <= set(kept)

    port = free_port()
    process = spawn(project, "serve", f"serve.port={port}", **user)
    try:
        served = wait_for(f"http://127.0.0.1:{port}/v1/model", process)
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert run_id in json.dumps(served)


def wait_for(address, process):
    for _ in range(200):
        assert process.poll() is None, process.communicate()
        try:
            answer = httpx.get(address, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.2)
            continue
        if answer.is_success:
            return answer.json()
        time.sleep(0.2)
    raise TimeoutError(address)

"""The server of a team behind a domain: real PostgreSQL, bucket and users, on loopback."""

import copy
import json
import subprocess
import time
from pathlib import Path

import httpx
import psycopg
import pytest
import urllib3
from bundles import tiny_bundle
from commands import skincli, spawn
from services import USER, bucket_service, free_port, postgres
from stores import Stored
from tls_proxy import tls_proxy

from skincli.config.load import to_yaml
from skincli.progress import Silent
from skincli.tracking.registry import register
from skincli.tracking.resolve import resolve
from skincli.tracking.runs import recorded_run
from skincli.tracking.store import connect

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
    config.registry.name = "trained-here"  # a migration finds its own name free
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


def test_strangers_other_names_and_other_pages_are_refused(team, user, tmp_path, monkeypatch):
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    search, body = f"{team}/api/2.0/mlflow/experiments/search", {"max_results": 1}
    with httpx.Client(trust_env=False, auth=("admin", ADMIN)) as admin:

        def answered(**headers):
            return admin.post(search, json=body, headers=headers).status_code

        assert answered() == 200
        assert answered(Host=DOMAIN) == 200
        assert answered(Host="evil.test") == 403
        assert answered(Host=DOMAIN, Origin=f"https://{DOMAIN}") == 200
        assert answered(Host=DOMAIN, Origin="https://evil.test") == 403
    assert httpx.post(search, json=body, trust_env=False).status_code == 401
    assert httpx.get(f"{team}/health", trust_env=False).is_success

    uri = f"tracking.uri={team}"
    unknown = skincli(tmp_path, "models", "list", uri, code=2)
    assert "MLFLOW_TRACKING_USERNAME" in unknown.err
    wrong = user | {"MLFLOW_TRACKING_PASSWORD": "a guess of that length"}
    assert "asks who this is" in skincli(tmp_path, "models", "list", uri, code=2, **wrong).err


@pytest.fixture
def no_way_to_the_bucket(bucket, monkeypatch):
    """Clients of this process reach the server alone."""
    reach, port = urllib3.util.connection.create_connection, httpx.URL(bucket[1]).port

    def reach_others(address, *arguments, **settings):
        assert address[1] != port, "the client asked the bucket"
        return reach(address, *arguments, **settings)

    monkeypatch.setattr(urllib3.util.connection, "create_connection", reach_others)


@pytest.mark.slow
@pytest.mark.usefixtures("no_way_to_the_bucket")
def test_a_run_and_its_model_travel_through_a_proxy_that_ends_tls(
    team, user, config, tmp_path, monkeypatch
):
    with tls_proxy(team, DOMAIN, tmp_path) as (address, certificate):
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            monkeypatch.setenv(name, str(certificate))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        for name, value in user.items():
            monkeypatch.setenv(name, value)
        config.tracking.uri, config.tracking.experiment = address, "through the proxy"
        with recorded_run(config, "online", "", None, Silent()) as recorder:
            bundle = tiny_bundle(tmp_path / "bundle", run_id=recorder.run_id)
            recorder.bundle(bundle)
        assert Stored(config.tracking).run().info.status == "FINISHED"
        assert resolve(config, recorder.run_id).bundle.digest == bundle.digest


def test_the_server_shows_nobody_its_secrets_and_starts_once(team, settings, secrets, tmp_path):
    found = skincli(tmp_path, "track", "status", *settings, "--json", **secrets).data
    assert found["answers"]
    again = skincli(tmp_path, "track", "start", *settings, code=2, **secrets)
    assert team in again.err
    home = Path(found["state"]["log"]).parent
    lines = [Path(f"/proc/{pid}/cmdline").read_text() for pid in members(found["state"])]
    assert sorted("uvicorn" in line for line in lines) == [False, True]  # and no job processes
    seen = "".join([*lines, *(file.read_text() for file in home.iterdir()), again.err])
    for name in ("PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "MLFLOW_AUTH_ADMIN_PASSWORD"):
        assert secrets[name] not in seen


def test_a_backup_of_the_team_holds_the_database_and_says_what_it_leaves(
    team, settings, secrets, tmp_path
):
    done = skincli(tmp_path, "track", "backup", *settings, "--json", **secrets).data
    assert (done["files"], done["left"]) == (1, f"s3://{BUCKET}/mlflow")
    listed = subprocess.check_output(
        ["pg_restore", "--list", f"{done['folder']}/mlflow.dump"], text=True
    )
    assert "TABLE DATA public experiments" in listed
    assert "TABLE DATA public users" in listed
    wrong = skincli(tmp_path, "track", "backup", *settings, code=1, **secrets | {"PGPASSWORD": "x"})
    assert "password authentication failed" in wrong.err
    assert len([path for path in (tmp_path / "backups").iterdir() if path.is_dir()]) == 1


def members(state):
    """The processes of the server's group."""
    leader = state["process"].partition(":")[0]
    out = subprocess.check_output(["ps", "-A", "-o", "pid=,pgid="], text=True)
    return [pid for pid, group in map(str.split, out.splitlines()) if group == leader]


@pytest.mark.parametrize(
    ("changed", "environ", "code", "said"),
    [
        (["tracking.artifacts=s3://missing"], {}, 2, "there is no bucket `missing`"),
        ([], {"AWS_ACCESS_KEY_ID": "another"}, 2, "is not open to us (403)"),
        (["tracking.s3_endpoint=http://127.0.0.1:1"], {}, 1, "cannot be reached"),
        ([], {"PGPASSWORD": "a guess"}, 1, "password authentication failed"),
        (["tracking.host=0.0.0.0", "tracking.allowed_hosts=[]"], {}, 2, "tracking.allowed_hosts"),
        ([], {"MLFLOW_FLASK_SERVER_SECRET_KEY": ""}, 2, "MLFLOW_FLASK_SERVER_SECRET_KEY"),
        ([], {"MLFLOW_AUTH_ADMIN_PASSWORD": "short"}, 2, "fewer than 12 characters"),
    ],
)
def test_what_cannot_serve_is_said_before_anything_starts(
    database, settings, secrets, tmp_path, changed, environ, code, said
):
    elsewhere = [f"tracking.backend={database.uri('postgres')}", f"tracking.port={free_port()}"]
    words = ("track", "start", "--background", *settings, *elsewhere, *changed)
    refused = skincli(tmp_path, *words, code=code, **secrets | environ)
    assert said in refused.err
    assert "hint: " in refused.err or "fewer" in said
    assert "Starting" not in refused.err


@pytest.mark.usefixtures("no_way_to_the_bucket")
@pytest.mark.slow
def test_an_embedded_store_moves_to_the_team_also_when_its_copying_is_killed(
    team, database, user, config, log_model, tmp_path, monkeypatch
):
    run_ids = [log_model(seed) for seed in range(3)]
    client = connect(config.tracking)
    for (run_id, bundle), alias in zip(run_ids, ("", "champion", "challenger"), strict=True):
        number = register(config, run_id, bundle, run_id)
        if alias:
            client.set_registered_model_alias(config.registry.name, alias, number)
    client.delete_model_version(config.registry.name, "1")
    client.delete_run(run_ids[0][0])
    config.registry.name, config.tracking.experiment = "skin-lesion", "skincli"
    words = ("track", "migrate", "--to", team, f"tracking.uri={config.tracking.uri}", "--json")

    process = spawn(tmp_path, *words, **user)
    while copies_in(database) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    process.communicate()
    before = copies_in(database)

    done = skincli(tmp_path, *words, **user).data
    assert (done["runs"], done["bundles"], done["versions"], done["aliases"]) == (3, 3, 2, 2)
    assert done["left_out"] == []
    assert 1 <= done["copied"] < 3
    assert done["files"] == 3
    assert copies_in(database) == 3 >= before
    again = skincli(tmp_path, *words, **user).data
    assert again == done | {"copied": 0}

    there = copy.deepcopy(config)
    there.tracking.uri = team
    for name, value in user.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    champion = resolve(there, "models:/skin-lesion@champion")
    assert (champion.version, champion.bundle.digest) == ("2", run_ids[1][1].digest)
    assert resolve(there, run_ids[2][0]).bundle.digest == run_ids[2][1].digest
    states = {r.info.status for r in Stored(there.tracking).runs()}
    assert states == {"FINISHED"}


def copies_in(database):
    with psycopg_of(database, "tracking") as connection:
        query = "select count(*) from tags where key = 'skincli.copy_of'"
        return connection.execute(query).fetchone()[0]

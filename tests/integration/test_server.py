"""The real tracking server: models travel through it, and a run outlives it."""

import copy
import json
import os
import shutil
import signal
import socket
import sqlite3
from contextlib import closing

import pytest
from bundles import tiny_bundle

from skincli.config.schema import Config
from skincli.errors import SkincliError, UsageError
from skincli.progress import Silent
from skincli.tracking import server
from skincli.tracking.backup import backup
from skincli.tracking.hashing import hashes
from skincli.tracking.locking import exclusively
from skincli.tracking.resolve import resolve
from skincli.tracking.runs import recorded_run
from skincli.tracking.server.database import known_revisions
from skincli.tracking.store import connect


class Warnings(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def warn(self, message: str) -> None:
        self.said.append(message)


def on_a_free_port(config: Config) -> Config:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        config.tracking.port = probe.getsockname()[1]
    return config


@pytest.fixture
def served(config):
    """The store's own config, and that of a client of the server on it."""
    config = on_a_free_port(config)
    state = server.start(config.tracking, Silent())
    client = copy.deepcopy(config)
    client.tracking.uri = state.address
    client.tracking.experiment = "over-http"
    yield config, client
    server.stop(config.tracking)


def test_a_model_travels_over_http_and_a_run_outlives_the_server(served, tmp_path, monkeypatch):
    store, client = served
    progress = Warnings()
    with recorded_run(client, "travels", "", None, progress) as recorder:
        bundle = tiny_bundle(tmp_path / "bundle", run_id=recorder.run_id)
        recorder.bundle(bundle)
        recorder.metrics({"loss": 1.0}, 0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    assert resolve(client, recorder.run_id).bundle.digest == bundle.digest
    assert progress.said == []

    with recorded_run(client, "outlives", "", None, progress) as recorder:
        recorder.metrics({"loss": 1.0}, 0)
        os.kill(server.status(store.tracking).state.pid, signal.SIGKILL)
        assert server.status(store.tracking).running  # its worker, which outlives it
        with pytest.raises(UsageError, match="runs already"):
            server.start(store.tracking, Silent())
        assert server.stop(store.tracking)
        recorder.metrics({"loss": 0.5}, 1)
        recorder.metrics({"loss": 0.2}, 2)
    assert recorder.folder.state().status == "FINISHED"
    assert [row["loss"] for row in recorder.folder.read_metrics()] == [1.0, 0.5, 0.2]
    assert "training goes on" in progress.said[0]
    assert str(recorder.folder.path) in progress.said[0]
    with pytest.raises(SkincliError, match="does not answer"):
        connect(client.tracking)


def test_a_taken_port_a_named_server_and_a_damaged_store_are_refused(config, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config.tracking.port = taken.getsockname()[1]
        with pytest.raises(UsageError, match="cannot be listened on"):
            server.start(config.tracking, Silent())
    elsewhere = copy.deepcopy(config)
    elsewhere.tracking.uri = "https://user:secret@example.org"
    with pytest.raises(UsageError, match="names a server") as caught:
        server.start(elsewhere.tracking, Silent())
    assert "secret" not in caught.value.message
    (tmp_path / "mlflow.db").write_text("no database at all, but long enough to look like one")
    with pytest.raises(SkincliError, match="no database"):
        server.start(on_a_free_port(config).tracking, Silent())
    assert server.status(config.tracking).running is False


def test_a_store_of_another_mlflow_is_neither_served_nor_changed(config, tmp_path):
    database = tmp_path / "mlflow.db"
    older = known_revisions()[1]
    for revision, said in ((older, "an older MLflow"), ("f" * 12, "a later MLflow")):
        with closing(sqlite3.connect(database)) as link, link:
            link.execute("update alembic_version set version_num = ?", (revision,))
        before = database.read_bytes()
        with pytest.raises(SkincliError, match=said) as caught:
            server.start(on_a_free_port(config).tracking, Silent())
        assert database.read_bytes() == before
        if revision == older:
            assert "track backup" in caught.value.hint
            assert f"mlflow db upgrade sqlite:///{database}" in caught.value.hint
    assert server.status(config.tracking).running is False


def test_a_locked_store_and_one_that_is_being_started_are_refused(config, tmp_path, monkeypatch):
    monkeypatch.setattr("skincli.tracking.server.database._LOCK_SECONDS", 0.1)
    on_a_free_port(config)
    with closing(sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)) as link:
        link.execute("begin immediate")
        with pytest.raises(SkincliError, match="locked by another process"):
            server.start(config.tracking, Silent())
    with (
        exclusively(tmp_path / ".skincli" / "track.lock", "", ""),
        pytest.raises(UsageError, match="is starting the tracking server"),
    ):
        server.start(config.tracking, Silent())


def test_a_backup_restores_a_store_with_its_files(config, log_model, tmp_path, monkeypatch):
    config.tracking.backup_root = str(tmp_path / "backups")
    run_id, bundle = log_model()
    result = backup(config.tracking, Silent())
    about = json.loads((result.folder / "backup.json").read_text())
    there = hashes(result.folder)
    assert {name: there[name] for name in about["sha256"]} == about["sha256"]
    assert len(about["sha256"]) == result.files > 8

    (tmp_path / "mlflow.db").unlink()
    shutil.rmtree(tmp_path / "mlartifacts")
    shutil.copyfile(result.folder / "mlflow.db", tmp_path / "mlflow.db")
    shutil.copytree(result.folder / "mlartifacts", tmp_path / "mlartifacts")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    assert resolve(config, run_id).bundle.digest == bundle.digest

    (tmp_path / "mlflow.db").write_bytes(b"damaged" * 1000)
    with pytest.raises(SkincliError, match="cannot be copied"):
        backup(config.tracking, Silent())
    assert [path.name for path in (tmp_path / "backups").iterdir() if path.is_dir()] == [
        result.folder.name
    ]

"""Reaching a store: at once where it is there, and at once in plain words where it is not."""

import socket
import time

import pytest

from skincli.errors import ConfigError, SkincliError
from skincli.tracking.store import connect, experiment_id, require_lasting


def refused(config, uri, message):
    config.tracking.uri = uri
    began = time.monotonic()
    with pytest.raises(SkincliError, match=message) as caught:
        connect(config.tracking)
    assert time.monotonic() - began < 30  # MLflow alone: minutes
    assert "tracking.uri=none" in caught.value.hint + caught.value.message
    return caught.value


def test_a_file_that_is_no_database_is_said_at_once(config, tmp_path):
    (tmp_path / "folder").mkdir()
    refused(config, f"sqlite:///{tmp_path}/folder", "unable to open")
    (tmp_path / "text").write_text("no database at all, but long enough to look like one" * 100)
    refused(config, f"sqlite:///{tmp_path}/text", "not a database")
    refused(config, f"sqlite:///{tmp_path}/text/mlflow.db", "Not a directory|File exists")


def test_a_server_that_is_not_there_is_said_at_once_and_its_password_is_not(config):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    error = refused(config, f"http://me:secret@127.0.0.1:{port}", "does not answer")
    assert "secret" not in error.message


def test_a_server_that_takes_calls_and_never_answers_is_not_waited_for_long(config, monkeypatch):
    monkeypatch.setattr("skincli.tracking.answering._ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        refused(config, f"http://127.0.0.1:{silent.getsockname()[1]}", "timed out")


def test_none_is_no_store(config):
    config.tracking.uri = "none"
    with pytest.raises(ConfigError, match="skincli track publish RUN"):
        connect(config.tracking)


def test_files_lie_beside_the_database_whatever_the_working_folder(config, database):
    client = connect(config.tracking)
    found = client.get_experiment(experiment_id(client, config.tracking))
    assert found.artifact_location == (database.parent / "mlartifacts").as_uri()


def test_a_store_in_the_checkout_of_a_self_hosted_job_is_refused(config, tmp_path, monkeypatch):
    job = {"RUNNER_ENVIRONMENT": "self-hosted", "GITHUB_WORKSPACE": str(tmp_path / "checkout")}
    (tmp_path / "checkout").mkdir()
    monkeypatch.chdir(tmp_path / "checkout")
    config.tracking.uri = "sqlite:///mlflow.db"
    with pytest.raises(ConfigError, match="which the next one wipes"):
        require_lasting(config.tracking, job)
    require_lasting(config.tracking, job | {"RUNNER_ENVIRONMENT": "github-hosted"})
    require_lasting(config.tracking, {})
    for uri in (f"sqlite:///{tmp_path}/kept/mlflow.db", "http://127.0.0.1:5000", "none"):
        config.tracking.uri = uri
        require_lasting(config.tracking, job)

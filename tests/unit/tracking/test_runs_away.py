"""A store that is away: said before a new run, no matter from then on, told the rest later."""

import copy
import re
import shlex
import socket

import pytest
from recording import Said, record

from skincli.config.load import load_config
from skincli.errors import SkincliError
from skincli.progress import Silent
from skincli.tracking.publish import publish
from skincli.tracking.runs import recorded_run


@pytest.fixture
def said():
    return Said()


@pytest.fixture
def away(config):
    """The config of a server that is not there."""
    away = copy.deepcopy(config)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        away.tracking.uri = f"http://127.0.0.1:{probe.getsockname()[1]}"
    return away


def test_a_store_that_is_away_is_said_before_any_work(away, tmp_path, said):
    with pytest.raises(SkincliError, match="does not answer") as caught:
        record(away, said, {}, error=AssertionError("the work began"))
    assert caught.value.exit_code == 1
    assert "skincli track start" in caught.value.hint
    assert "tracking.uri=none" in caught.value.hint
    assert not (tmp_path / "runs").exists()


def publish_as_told(said, stored):
    """Do what the last warning says, but over the store itself: the server is still away."""
    command = re.search("`(skincli track publish .*)` sends it", said.warnings[-1])[1]
    run, *words = shlex.split(command)[3:]
    config = load_config(words, environ={}).config
    named = copy.deepcopy(config.tracking)
    config.tracking.uri = stored.config.uri
    return publish(config, run, Silent()), named


def test_a_run_goes_on_without_its_store_and_says_how_to_send_the_rest(
    config, away, stored, said, folder
):
    with recorded_run(away, "tiny", "", folder, said) as recorder:
        recorder.metrics({"loss": 1.0}, 0)
    assert folder.state().status == "FINISHED"
    assert "does not answer" in said.warnings[-1]
    result, named = publish_as_told(said, stored)
    assert named == away.tracking
    assert (result.run_id, result.status) == (recorder.run_id, "FINISHED")
    assert stored.points("loss") == [(0, 1.0)]


def test_the_command_names_the_store_even_where_it_is_the_default(
    config, tmp_path, monkeypatch, said, stored, folder
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlflow.db").mkdir()  # no database can be there
    config.tracking.uri = "sqlite:///mlflow.db"
    with recorded_run(config, "tiny", "", folder, said):
        pass
    (tmp_path / "skincli.yaml").write_text("tracking: {uri: 'sqlite:///another.db'}")
    _, named = publish_as_told(said, stored)
    assert named.uri == "sqlite:///mlflow.db"


def test_a_run_below_another_begins_without_the_store_and_is_sent_later(
    config, away, stored, said, tmp_path
):
    with recorded_run(config, "search", "", None, Silent()) as search:
        with recorded_run(away, "trial", "", None, said, parent=search.run_id) as trial:
            trial.metrics({"loss": 1.0}, 0)
        assert trial.folder.state().status == "FINISHED"
        publish_as_told(said, stored)
    found = stored.run_named("trial")
    assert found.data.tags["mlflow.parentRunId"] == search.run_id
    assert stored.points("loss", found.info.run_id) == [(0, 1.0)]

"""One alias and many who move it: real processes, on SQLite and over HTTP, some of them killed."""

import copy
import itertools
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from skincli.errors import SkincliError
from skincli.progress import Silent
from skincli.tracking import history, registry, server
from skincli.tracking.registry import move_alias, new_change, read_registry
from skincli.tracking.store import connect

MOVER = Path(__file__).with_name("mover.py")
_numbers = itertools.count()


@pytest.fixture(scope="module")
def stores(synthetic_config, empty_database, tmp_path_factory):
    """One database, and a server on it: both are the same registry."""
    config = copy.deepcopy(synthetic_config)
    folder = tmp_path_factory.mktemp("store")
    (folder / "mlflow.db").write_bytes(empty_database.read_bytes())
    config.tracking.uri = f"sqlite:///{folder}/mlflow.db"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        config.tracking.port = probe.getsockname()[1]
    over_http = copy.deepcopy(config)
    over_http.tracking.uri = server.start(config.tracking, Silent()).address
    yield {"sqlite": config, "http": over_http}
    server.stop(config.tracking)


@pytest.fixture
def config(stores):
    """A registered model of its own with five versions, the first of them champion."""
    config = copy.deepcopy(stores["sqlite"])
    config.registry.name = f"model-{next(_numbers)}"
    client = connect(config.tracking)
    client.create_registered_model(config.registry.name)
    for _ in range(5):
        client.create_model_version(config.registry.name, "/nowhere")
    move(config, "1")
    return config


def move(config, version, known=None):
    known = known or read_registry(config)
    move_alias(config, new_change(config, known, "promote", version), {})


def champion(config):
    return connect(config.tracking).get_model_version_by_alias(config.registry.name, "champion")


def start(store, config, version, folder, death=""):
    words = [store.tracking.uri, config.registry.name, version, str(folder), death]
    return subprocess.Popen([sys.executable, MOVER, *words], stderr=subprocess.PIPE, text=True)


def let_go(processes, folder):
    """Start all at once, when each has seen the registry as it is."""
    for _ in range(1200):
        if len(list(folder.glob("ready-*"))) == len(processes):
            break
        time.sleep(0.05)
    (folder / "go").touch()
    return [(process.communicate(timeout=120)[1], process.returncode) for process in processes]


def test_of_many_at_once_from_both_sides_one_wins_and_the_others_are_told(stores, config, tmp_path):
    sides = [("2", "sqlite"), ("3", "http"), ("4", "sqlite"), ("5", "http")]
    processes = [start(stores[side], config, version, tmp_path) for version, side in sides]
    ends = let_go(processes, tmp_path)
    assert sorted(code for _, code in ends) == [0, 1, 1, 1]
    [winner] = [version for (version, _), (_, code) in zip(sides, ends, strict=True) if not code]
    assert str(champion(config).version) == winner
    told = [text for text, code in ends if code]
    assert all(f"made it version {winner} meanwhile" in text for text in told)
    moves = [entry.change.after for entry in read_registry(config).history]
    assert moves == ["1", winner]


def test_a_mover_killed_half_way_leaves_a_working_champion_and_stops_nobody(
    stores, config, tmp_path
):
    process = start(stores["http"], config, "2", tmp_path, death="appended")
    [(_, code)] = let_go([process], tmp_path)
    assert code == -signal.SIGKILL
    assert str(champion(config).version) == "1"
    known = read_registry(config)
    assert [entry.done for entry in known.history] == [True, False]
    # What was decided counts: the next model is held against version 2.
    assert known.current("champion").version == "2"
    move(config, "3")
    assert str(champion(config).version) == "3"
    last = read_registry(config).history[-1]
    assert (last.change.before, last.change.after, last.done) == ("2", "3", True)


class Killed(BaseException):
    pass


class Dying:
    """A client whose call number `at` that changes something is the last, answered or not."""

    def __init__(self, client, at, answered):
        self.client, self.left, self.answered = client, at, answered

    def __getattr__(self, name):
        call = getattr(self.client, name)
        if not name.startswith(("create_", "set_", "delete_")):
            return call

        def counted(*words, **named):
            self.left -= 1
            if self.left == 0 and not self.answered:
                raise Killed
            answer = call(*words, **named)
            if self.left == 0:
                raise Killed
            return answer

        return counted


@pytest.mark.parametrize("answered", [True, False])
def test_wherever_a_mover_dies_the_alias_works_and_the_next_one_gets_through(
    config, monkeypatch, answered
):
    for at in itertools.count(1):
        before = str(champion(config).version)
        version = "2" if before != "2" else "3"
        with monkeypatch.context() as patch:
            dying = Dying(connect(config.tracking), at, answered)
            patch.setattr(registry, "connect", lambda _, dying=dying: dying)
            with suppress(Killed):
                move(config, version, read_registry(config))
        assert str(champion(config).version) in {before, version}
        assert read_registry(config).current("champion") is not None
        move(config, "4")
        assert str(champion(config).version) == "4"
        if dying.left > 0:
            break
    assert at > 4


def test_a_slow_mover_leaves_the_alias_to_whoever_came_later(config, monkeypatch):
    """It stops before it writes the alias; another promotes meanwhile; then it goes on."""
    client = connect(config.tracking)
    reading = history.read_history
    overtaken = []

    def overtake(*words):
        seen = reading(*words)
        if not overtaken:
            overtaken.append(None)
            move(config, "3")
        return seen

    move_by = new_change(config, read_registry(config), "promote", "2")
    history.append_change(client, config.registry.name, move_by)
    with monkeypatch.context() as patch:
        patch.setattr(history, "read_history", overtake)
        history.let_alias_follow(client, config.registry.name, "champion")
    assert overtaken
    assert str(champion(config).version) == "3"


def test_what_was_measured_against_another_champion_moves_nothing(config):
    seen = read_registry(config)
    move(config, "2")
    with pytest.raises(SkincliError, match=r"version 3 did not become champion: .* version 2"):
        move(config, "3", seen)
    assert str(champion(config).version) == "2"
    assert read_registry(config).history[-1].change.after == "2"


def test_a_change_that_was_sent_twice_counts_once(config):
    """A client that missed the answer asks again."""
    client = connect(config.tracking)
    change = new_change(config, read_registry(config), "promote", "2")
    for _ in range(2):
        history.append_change(client, config.registry.name, change)
    assert [entry.change.after for entry in read_registry(config).history] == ["1", "2"]


def test_an_alias_moved_by_hand_is_believed(config):
    client = connect(config.tracking)
    client.set_registered_model_alias(config.registry.name, "champion", "5")
    assert read_registry(config).current("champion").version == "5"
    move(config, "2")
    assert read_registry(config).history[-1].change.before == "5"


def test_many_versions_take_as_few_calls_as_one(config, monkeypatch):
    client, calls = connect(config.tracking), []

    class Counting:
        def __getattr__(self, name):
            calls.append(name)
            return getattr(client, name)

    monkeypatch.setattr(registry, "connect", lambda _: Counting())
    assert len(read_registry(config).versions) == 5
    assert calls == ["search_model_versions", "get_registered_model", "search_model_versions"]

"""The sender: in nobody's way, an outage said once and so its end, a bounded wait at the end."""

import threading
import time

import pytest

from skincli.errors import SkincliError
from skincli.progress import Silent
from skincli.tracking import sender as module
from skincli.tracking.sender import Sender


class Said(Silent):
    def __init__(self):
        self.warnings, self.notes = [], []

    def warn(self, message):
        self.warnings.append(message)

    def note(self, message):
        self.notes.append(message)


class Store:
    """Stands in for `Delivery`: fails as long as `trouble` is set, hangs until `answers` is."""

    def __init__(self, *_):
        self.trouble = None
        self.refused = []
        self.answers = threading.Event()
        self.answers.set()
        self.asked = threading.Semaphore(0)
        self.times = 0
        self.closed = False

    def send(self, goes_on):
        self.times += 1
        self.asked.release()
        self.answers.wait()
        if self.trouble:
            raise self.trouble

    def close(self):
        self.closed = True

    def was_asked(self):
        assert self.asked.acquire(timeout=20)


@pytest.fixture
def store(monkeypatch):
    store = Store()
    monkeypatch.setattr(module, "Delivery", lambda *_: store)
    # Between two attempts of one outage there are seconds, which these tests do not wait for.
    monkeypatch.setattr(module, "_LONGEST_PAUSE", 0.01)
    yield store
    store.answers.set()


@pytest.fixture
def said():
    return Said()


@pytest.fixture
def sender(store, said, config, folder):
    return Sender(config.tracking, folder, said)


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_it_sends_when_there_is_something_new_and_once_more_at_the_end(sender, store, said):
    sender.wake()
    store.was_asked()
    assert sender.close(20)
    assert store.times == 2
    assert store.closed
    assert (said.warnings, said.notes) == ([], [])


def test_an_outage_is_said_once_and_so_is_its_end(sender, store, said, folder):
    for outage in (1, 2):
        store.trouble = SkincliError("the server is away")
        sender.wake()
        for _ in range(4):
            store.was_asked()
        assert len(said.warnings) == outage
        assert said.warnings[-1].startswith("the server is away; training goes on")
        assert str(folder.path) in said.warnings[-1]
        store.trouble = None
        until(lambda outage=outage: len(said.notes) == outage)
        assert "answers again" in said.notes[-1]
    assert sender.close(20)
    assert (len(said.warnings), len(said.notes)) == (2, 2)


def test_an_error_that_nobody_foresaw_ends_no_training(sender, store, said):
    store.trouble = ZeroDivisionError("of MLflow's own")
    sender.wake()
    store.was_asked()
    assert not sender.close(20)
    assert "of MLflow's own" in sender.trouble
    assert len(said.warnings) <= 1


def test_what_the_store_refuses_is_said_once(sender, store, said):
    store.refused = ["a bad name"]
    sender.wake()
    until(lambda: said.warnings)
    sender.wake()
    store.was_asked()
    assert sender.close(20)
    assert said.warnings == ["the tracking store does not take this: a bad name"]


def test_at_the_end_an_outage_is_for_the_caller_to_tell_of(sender, store, said):
    store.trouble = SkincliError("the server is away")
    assert not sender.close(20)
    assert sender.trouble == "the server is away"
    assert said.warnings == []


def test_a_store_that_never_answers_holds_nobody_up(sender, store):
    store.answers.clear()
    sender.wake()
    store.was_asked()
    for _ in range(1000):
        sender.wake()  # returns at once, or this test never ends
    began = time.monotonic()
    assert not sender.close(0.2)
    assert 0.2 <= time.monotonic() - began < 10
    assert sender.trouble == "the tracking store takes too long"
    assert sender._thread.daemon, "the process must end although a call hangs"


def test_one_that_is_known_to_be_away_is_waited_for_only_a_little(sender, store, monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_WHILE_AWAY", 0.1)
    store.trouble = SkincliError("the server is away")
    sender.wake()
    until(lambda: sender.trouble)
    store.answers.clear()
    store.was_asked()
    began = time.monotonic()
    assert not sender.close(60)
    assert time.monotonic() - began < 30
    assert sender.trouble == "the server is away"


def test_who_is_left_alone_makes_no_further_call(config, folder, said, monkeypatch):
    went_on = []
    asked, answers = threading.Event(), threading.Event()

    class Slow(Store):
        def send(self, goes_on):
            asked.set()
            answers.wait()
            went_on.append(goes_on())

    monkeypatch.setattr(module, "Delivery", Slow)
    sender = Sender(config.tracking, folder, said)
    sender.wake()
    assert asked.wait(20)
    assert not sender.close(0.05)
    answers.set()
    until(lambda: went_on)
    assert went_on[0] is False
    sender._thread.join(20)
    assert not sender._thread.is_alive()

"""A start that comes to nothing: why is told, and nothing is left."""

import os
import signal
import threading

import pytest

from skincli.errors import Interrupted, SkincliError
from skincli.runner import launch
from skincli.runner.container import Registration
from skincli.runner.engine import NotListed
from skincli.runner.set_up import set_up_runner

NAME = "skincli-runner"
LAST_WORDS = '{"level":"error","message":"Bad credentials, REPO_TOKEN should be a personal token"}'


def set_up(place, settings=(), **options):
    config = place.config(**dict(settings))
    return set_up_runner(config, place.notes, place.environ, **options)


@pytest.mark.parametrize("idle_timeout", ["never", "1h"])
def test_a_container_that_ends_at_once_is_shown_and_removed(place, idle_timeout):
    place.docker.play(cml="ends", code=7, log=["Launching", f"{LAST_WORDS} TOKEN"])
    with pytest.raises(SkincliError) as caught:
        set_up(place, settings={"idle_timeout": idle_timeout}.items())
    assert "ended with exit code 7" in caught.value.message
    assert "Bad credentials" in caught.value.message
    assert "Launching" in "\n".join(place.notes.lines)
    assert place.docker.containers == {}
    place.assert_token_stayed_secret(caught.value.message, caught.value.hint)


def test_a_runner_that_docker_had_to_start_again_has_failed(place, monkeypatch):
    """Between two ends of its process the container looks well."""
    place.docker.play(cml="silent")
    step = place.notes.step

    def crashing(title, *rest):
        if title.startswith("waiting"):
            place.docker.run("crash", NAME)
        return step(title, *rest)

    monkeypatch.setattr(place.notes, "step", crashing)
    with pytest.raises(SkincliError, match="before GitHub listed it"):
        set_up(place)
    assert place.docker.containers == {}


def test_a_container_that_ends_with_code_0_before_it_is_listed_failed_too(place):
    place.docker.play(cml="ends", code=0, log=[])
    with pytest.raises(SkincliError, match="exit code 0"):
        set_up(place, settings={"idle_timeout": "1h"}.items())


def test_a_runner_that_is_not_listed_in_time_is_left_to_go_on(place):
    place.docker.play(cml="silent")
    with pytest.raises(NotListed, match=r"within 0\.3 seconds") as caught:
        set_up(place, settings={"start_timeout": 0.3}.items())
    assert "--logs" in caught.value.hint
    assert place.docker.containers[NAME]["status"] == "running"


def test_another_machines_new_runner_is_not_taken_for_it(place, monkeypatch):
    place.docker.play(cml="silent")
    step = place.notes.step

    def joined(title, *rest):
        if title.startswith("waiting"):
            place.ghost("gpuserver", status="online")
        return step(title, *rest)

    monkeypatch.setattr(place.notes, "step", joined)
    with pytest.raises(NotListed):
        set_up(place, settings={"start_timeout": 0.3}.items())


def test_a_runner_that_is_listed_but_offline_is_not_there_yet(place, monkeypatch):
    listed = place.ghost("cml-0123456789")
    place.docker.play(cml="silent")
    told = Registration(listed.id, listed.name)
    monkeypatch.setattr("skincli.runner.container.registration", lambda *_: told)
    with pytest.raises(NotListed):
        set_up(place, settings={"start_timeout": 0.3}.items())


@pytest.mark.parametrize(
    ("play", "reason", "mend"),
    [
        ({"run": "full"}, "no space left on device", "docker system prune"),
        ({"run": "repeats"}, "invalid variable REPO_TOKEN=***", "run the same command again"),
    ],
)
def test_dockers_own_reason_is_given_and_nothing_is_left(place, play, reason, mend):
    place.docker.play(**play)
    with pytest.raises(SkincliError) as caught:
        set_up(place)
    assert caught.value.message.startswith("docker could not start the runner: ")
    assert caught.value.message.endswith(reason)
    assert mend in caught.value.hint
    assert place.docker.containers == {}
    place.assert_token_stayed_secret(caught.value.message, caught.value.hint)


def test_a_name_that_is_taken_in_the_last_moment_is_left_alone(place, monkeypatch):
    run = launch.ask_to_the_end

    def overtaken(*asked):
        place.docker.add(NAME, status="created", engine="cml")
        return run(*asked)

    monkeypatch.setattr(launch, "ask_to_the_end", overtaken)
    with pytest.raises(SkincliError, match="is already in use by container"):
        set_up(place)
    assert place.docker.containers.keys() == {NAME}


class Interrupting(threading.Thread):
    """Ctrl-C to this process once `docker` has got as far as `verb`."""

    def __init__(self, docker, verb):
        super().__init__()
        self.docker, self.verb, self.ended = docker, verb, threading.Event()

    def run(self):
        while not self.ended.wait(0.02):
            if [call for call in self.docker.calls(self.verb) if "--rm" not in call["argv"]]:
                os.kill(os.getpid(), signal.SIGINT)
                return


@pytest.fixture
def interrupts():
    def interrupt(number, _):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise Interrupted(number)

    before = signal.signal(signal.SIGINT, interrupt)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("verb", "play"), [("run", {"run_seconds": 1.0}), ("cp", {"looks": 9999})])
def test_ctrl_c_leaves_no_container_and_no_runner(place, interrupts, verb, play):
    place.docker.play(**play)
    thread = Interrupting(place.docker, verb)
    thread.start()
    try:
        with pytest.raises(Interrupted):
            set_up(place)
    finally:
        thread.ended.set()
        thread.join()
    assert place.docker.containers == {}
    assert place.runners == []


def test_what_came_in_its_place_is_not_taken_back(place, interrupts, monkeypatch):
    """Another command replaces the container while this one waits."""
    place.docker.play(looks=9999)
    undo = launch.undo

    def replaced(*asked):
        place.docker.run("kill", NAME)
        place.docker.run("rm", NAME)
        place.docker.add(NAME, engine="cml")
        undo(*asked)

    monkeypatch.setattr(launch, "undo", replaced)
    thread = Interrupting(place.docker, "cp")
    thread.start()
    try:
        with pytest.raises(Interrupted):
            set_up(place)
    finally:
        thread.ended.set()
        thread.join()
    assert place.docker.containers[NAME]["status"] == "running"
    assert place.docker.calls("stop") == []


def test_what_cannot_be_taken_back_is_told(place):
    place.docker.play(cml="ends", stop="cannot stop container: permission denied")
    with pytest.raises(SkincliError, match="before GitHub listed it"):
        set_up(place)
    told = place.notes.lines[-1]
    assert told.startswith("warning: the runner may still be there: docker could not stop")
    assert "usermod -aG docker" in told

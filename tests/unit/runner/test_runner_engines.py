"""The verbs of a runner with the other engine, and one engine in the place of the other."""

import os
import shutil
import signal

import pytest
from conftest import Place
from running import wait_for

from skincli.errors import UsageError
from skincli.runner import lifecycle
from skincli.runner.actions import detached
from skincli.runner.actions.state import Files
from skincli.runner.set_up import set_up_runner

NAME = "skincli-runner"
ACTIONS = {"engine": "actions"}


@pytest.fixture
def both(actions_docker, github, monkeypatch):
    """A place whose docker runs containers of both engines."""
    monkeypatch.setattr("skincli.runner.actions.lifecycle._POLL_SECONDS", 0.05)
    (actions_docker.folder / "tail").symlink_to(shutil.which("tail"))
    yield Place(actions_docker, github)
    noted = Files(NAME).read()
    if noted is not None and noted.running and not noted.over:
        os.kill(noted.pid, signal.SIGKILL)
        wait_for(lambda: not noted.running, "the supervisor's end")


def environ(both):
    return both.environ | {"XDG_STATE_HOME": os.environ["XDG_STATE_HOME"]}


def set_up(both, settings=ACTIONS, **options):
    return set_up_runner(both.config(**settings), both.notes, environ(both), **options)


def status(both, settings=ACTIONS):
    return lifecycle.status(both.config(**settings), environ(both))


def stop(both, settings=ACTIONS):
    return lifecycle.stop(both.config(**settings), environ(both), both.notes)


def test_a_runner_of_the_other_engine_from_its_checks_to_its_end(both):
    result = set_up(both)
    assert result.failures == ()
    assert result.runner.online
    assert {"engine", "runner download"}.isdisjoint(check.name for check in result.checks)
    found = status(both)
    assert found.running
    assert [each.name for each in found.runners] == [result.runner.name]
    assert "waiting for a job since" in found.doing
    ended = stop(both)
    assert (ended.stopped, ended.unregistered) == (True, True)
    assert both.runners == []
    assert not status(both).running
    both.assert_token_stayed_secret()


def test_a_setting_that_this_engine_ignores_is_told_of(both):
    result = set_up(both, ACTIONS | {"idle_timeout": "1h"}, dry_run=True)
    check = next(check for check in result.checks if check.name == "engine")
    assert (check.level, "idle_timeout" in check.found) == ("warning", True)


def test_the_same_name_is_not_taken_twice(both):
    set_up(both)
    again = set_up(both)
    assert [check.name for check in again.failures] == ["container name"]
    assert "is kept going already (pid" in again.failures[0].found
    assert not again.started
    other = set_up(both, {})
    assert [check.name for check in other.failures] == ["container name"]


def test_an_engine_takes_the_place_of_the_other_and_of_itself(both):
    for settings in ({}, ACTIONS, ACTIONS, {}):
        result = set_up(both, settings, replace=True)
        assert result.started
        assert [each.name for each in both.runners] == [result.runner.name]
        assert status(both, settings).running
    assert not Files(NAME).read()


def test_the_log_of_the_supervisor_is_followed(both):
    set_up(both)
    lines = []

    def write(line):
        lines.append(line)
        if "registered" in line:
            stop(both)
            for process in detached._outliving:  # one that nobody waits for seems to live
                process.wait(30)

    lifecycle.follow(both.config(**ACTIONS), environ(both), write)
    assert any("registered skincli-runner-" in line for line in lines)
    assert any("stopped" in line for line in lines)


def test_what_was_checked_is_told_before_the_foreground_begins(both):
    """It may last for months: what there is to know is told first."""
    both.docker.queue("train", over=True)
    result = set_up(both, ACTIONS | {"single": True, "idle_timeout": "1h"}, foreground=True)
    assert result.started
    told = both.notes.lines
    checked = next(n for n, line in enumerate(told) if line.startswith("visibility: anna/lesions"))
    assert any(line.startswith("warning: engine: actions, which ignores") for line in told)
    assert checked < next(n for n, line in enumerate(told) if line.startswith("registered "))
    assert both.docker.job("train") == "done"


def test_what_this_engine_does_not_have_is_said(both):
    with pytest.raises(UsageError, match="no stopped container"):
        lifecycle.start(both.config(**ACTIONS), environ(both), both.notes)
    with pytest.raises(UsageError, match="was started here"):
        lifecycle.follow(both.config(**ACTIONS), environ(both), print)
    assert stop(both).stopped is False

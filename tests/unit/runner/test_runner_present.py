"""What has a runner's name already: whose it is, and who keeps it going."""

import os
import subprocess
import sys

import pytest

from skincli.errors import SkincliError, UsageError
from skincli.runner import container, lifecycle
from skincli.runner.access import find_access
from skincli.runner.actions.state import Files, Noted
from skincli.runner.ask import ask
from skincli.runner.labels import own_supervisor
from skincli.runner.present import name_free
from skincli.runner.set_up import set_up_runner
from skincli.tracking.processes import process_token

NAME = "skincli-runner"
ACTIONS = {"engine": "actions"}


def checked(place, replace=False, **settings):
    config = place.config(**settings)
    return name_free(config, find_access(config, place.environ), replace)


@pytest.fixture
def another(place):
    """A container with a job, which a supervisor of another user, who lives, keeps going."""
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        boot = own_supervisor().partition(":")[0]
        mark = f"{boot}:{process_token(process.pid)}"
        told = {"engine": "actions", "repository": place.repository, "runner": f"{NAME}-abcdef"}
        place.docker.add(NAME, **told, supervisor=mark)
        yield process
        process.kill()


def noted(place, process, **facts):
    files = Files(NAME)
    files.make()
    files.write(Noted(process, place.repository, **facts))


def test_a_name_that_is_free_or_whose_it_is(place):
    assert checked(place).ok
    place.docker.add(NAME, status="exited", engine="cml")
    taken = checked(place)
    assert (taken.level, "exited" in taken.found) == ("failure", True)
    assert "--replace" in taken.mend
    assert checked(place, replace=True).ok
    place.docker.add("other")
    assert not checked(place, replace=True, name="other").ok


def test_an_answer_that_is_no_state_is_told_of(docker):
    docker.add(NAME, status="")
    with pytest.raises(SkincliError, match="what cannot be read: '"):
        container.find(NAME, docker.environ)


def test_an_engine_that_fails_while_asked_for_the_name_is_not_a_free_name(place):
    place.docker.play(engine="down")
    check = checked(place)
    assert not check.ok
    assert "Cannot connect" in check.found


def test_a_runner_of_another_repository_is_not_replaced(place):
    place.docker.add(NAME, engine="cml", repository="https://github.com/bob/other")
    check = checked(place, replace=True)
    assert not check.ok
    assert "a runner of https://github.com/bob/other, not of" in check.found
    assert "runner.repo=https://github.com/bob/other" in check.mend


def test_what_another_users_supervisor_keeps_going_is_neither_ended_nor_taken_over(place, another):
    for settings in ({}, ACTIONS):
        for replace in (False, True):
            check = checked(place, replace, **settings)
            assert f"keeps `{NAME}` going (pid {another.pid})" in check.found
            assert not check.ok
        with pytest.raises(UsageError, match="another user, or another state folder"):
            lifecycle.stop(place.config(**settings), place.environ, place.notes)
    assert place.docker.containers[NAME]["status"] == "running"
    place.ghost(f"{NAME}-abcdef", status="online")
    found = lifecycle.status(place.config(), place.environ)
    assert (found.running, f"(pid {another.pid})" in found.doing) == (True, True)
    assert [each.name for each in found.runners] == [f"{NAME}-abcdef"]


def test_once_that_supervisor_is_dead_its_container_is_taken_over(place, another):
    another.kill()
    another.wait()
    assert checked(place, **ACTIONS).found == f"`{NAME}` was left behind: it will be taken over"
    assert not checked(place).ok


def test_a_process_of_an_earlier_start_of_the_machine_is_dead(place):
    place.docker.add(NAME, engine="actions", supervisor=f"0123-4567:{process_token(1)}")
    assert checked(place, **ACTIONS).ok


def test_a_supervisor_between_two_containers_has_the_name(place):
    noted(place, process_token(os.getppid()))
    for settings in ({}, ACTIONS):
        check = checked(place, **settings)
        assert f"kept going already (pid {os.getppid()})" in check.found
        assert not check.ok
        assert checked(place, replace=True, **settings).ok


def test_each_verb_takes_the_engine_of_what_is_there(place):
    noted(place, process_token(os.getppid()), doing="waiting for a job", since="noon")
    assert lifecycle.status(place.config(), place.environ).doing.startswith("waiting for a job")
    with pytest.raises(UsageError, match="no stopped container"):
        lifecycle.start(place.config(), place.environ, place.notes)
    with pytest.raises(UsageError, match="is in the foreground"):
        lifecycle.follow(place.config(), place.environ, print)
    Files(NAME).forget()
    set_up_runner(place.config(), place.notes, place.environ)
    ended = lifecycle.stop(place.config(**ACTIONS), place.environ, place.notes)
    assert (ended.stopped, ended.unregistered, ended.kept) == (True, True, True)
    assert place.runners == []


@pytest.mark.parametrize("settings", [{}, ACTIONS])
def test_a_container_of_somebody_else_is_never_said_to_be_stopped(place, settings):
    place.docker.add(NAME)
    with pytest.raises(UsageError, match="was not made by skincli"):
        lifecycle.stop(place.config(**settings), place.environ, place.notes)
    assert place.docker.changes() == []


def replacing_lines(place):
    shown = set_up_runner(
        place.config(), place.notes, place.environ, dry_run=True, replace=True
    ).commands
    return [line for line in shown if not line.startswith("docker run")]


def test_the_commands_shown_end_what_is_there_by_its_own_way(place):
    place.docker.add(NAME)
    assert replacing_lines(place) == []
    place.docker.add(NAME, engine="cml")
    assert replacing_lines(place) == [f"docker stop -t 60 {NAME}", f"docker rm {NAME}"]
    place.docker.add(NAME, engine="actions")
    assert replacing_lines(place) == [f"skincli runner-setup --stop --name {NAME}"]


def test_a_second_ctrl_c_does_not_reach_what_clears_up():
    script = "import os; print(os.getsid(0) == os.getpid())"
    assert ask([sys.executable, "-c", script], {}).out == "True\n"

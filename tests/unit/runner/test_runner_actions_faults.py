"""The supervisor of the engine `actions` in bad times: GitHub, docker and containers that fail."""

import errno
import subprocess
import sys

import pytest
from conftest import REPOSITORY as URL
from conftest import TOKEN
from machine import NAME, REPOSITORY, Told
from standins.faults import PAGE, answers
from standins.github import Token

from skincli.errors import Interrupted, SkincliError, UsageError
from skincli.runner.actions.state import Files, Noted
from skincli.runner.labels import own_supervisor
from skincli.tracking.locking import exclusively
from skincli.tracking.processes import process_token


@pytest.fixture
def docker(actions_docker):
    return actions_docker


def runners(github):
    return github.repositories[REPOSITORY].runners


def pulls(docker):
    return len(docker.calls("pull"))


def test_github_away_for_a_while_is_waited_for(keep_going, docker, github):
    github.faults["jit"] = [answers(503), answers(429), answers(502, retry_after="1")]
    docker.queue("train", over=True)
    told = keep_going()
    assert docker.job("train") == "done"
    assert len([line for line in told if "asking again in" in line]) == 3
    assert len(docker.calls("create")) == 1
    assert runners(github) == {}


def test_a_configuration_that_was_lost_on_its_way_leaves_no_ghost(keep_going, docker, github):
    github.faults["jit after"] = [answers(502)]
    docker.queue("train", over=True)
    told = keep_going()
    assert any("removed skincli-runner-" in line for line in told)
    assert docker.job("train") == "done"
    assert runners(github) == {}


@pytest.mark.parametrize(("token", "said"), [(None, "Bad credentials"), (Token("read"), "403")])
def test_a_token_that_is_refused_ends_it_with_the_reason(keep_going, docker, github, token, said):
    github.tokens = {TOKEN: token} if token else {}
    with pytest.raises(SkincliError, match=said) as caught:
        keep_going()
    assert TOKEN not in caught.value.message + caught.value.hint
    assert docker.calls("create") == []


def test_a_proxy_that_answers_for_github_ends_it(keep_going, github):
    github.faults["jit"] = [PAGE] * 9
    with pytest.raises(SkincliError, match="not what the API promises"):
        keep_going()


def test_an_interrupted_registration_leaves_no_ghost(keep_going, docker, github, files):
    notes = Told()

    def told(line):
        if line.startswith("registered"):
            raise Interrupted(15)

    notes.then = told
    with pytest.raises(Interrupted):
        keep_going(notes)
    assert runners(github) == {}
    assert (files.read().doing, files.read().registered) == ("stopped", ())


def test_what_could_not_be_cleared_away_is_cleared_by_the_next(keep_going, docker, github, files):
    docker.play(actions="ends")
    notes = Told()

    def told(line):
        if "again in" in line:
            github.faults["runners"] = [answers(500)] * 4
            raise Interrupted(15)

    notes.then = told
    with pytest.raises(Interrupted):
        keep_going(notes)
    (ghost,) = runners(github).values()
    assert files.read().registered == (ghost.name,)
    docker.play(actions="works")
    docker.queue("train", over=True)
    keep_going()
    assert runners(github) == {}


def test_a_container_of_another_living_supervisor_is_not_taken_over(keep_going, docker, github):
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        mark = f"{own_supervisor().partition(':')[0]}:{process_token(other.pid)}"
        docker.add(NAME, engine="actions", runner="box-1", supervisor=mark)
        docker.queue("train", over=True)
        with pytest.raises(UsageError, match="another supervisor keeps the container"):
            keep_going()
        other.kill()
    assert docker.containers[NAME]["status"] == "running"
    assert docker.calls("stop") + docker.calls("rm") + docker.calls("create") == []


def test_the_lock_keeps_a_second_supervisor_out(keep_going, docker, files):
    files.make()
    with exclusively(files.lock, "", ""), pytest.raises(UsageError, match="another supervisor"):
        keep_going()
    assert docker.calls("create") == []


def test_what_another_repository_was_left_with_is_not_looked_for(keep_going, docker, github, files):
    namesake = github.register(REPOSITORY, "box-1", ["self-hosted"])
    files.make()
    files.write(Noted("1:1", "https://github.com/lab/other", registered=("box-1",)))
    docker.queue("train", over=True)
    keep_going()
    assert list(runners(github)) == [namesake.id]


def test_a_runner_that_github_thinks_busy_is_no_hindrance(keep_going, docker, github, files):
    ghost = github.register(REPOSITORY, "box-1", ["self-hosted"])
    ghost.busy = True
    files.make()
    files.write(Noted("1:1", URL, registered=("box-1",)))
    docker.queue("train", over=True)
    told = keep_going()
    assert docker.job("train") == "done"
    assert any("box-1 goes once GitHub has cancelled its job" in line for line in told)
    assert files.read().registered == ("box-1",)


def test_a_full_disk_ends_neither_the_job_nor_the_supervisor(
    keep_going, docker, github, monkeypatch
):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Files, "write", full)
    docker.queue("train", over=True)
    told = keep_going()
    assert any("No space left on device" in line for line in told)
    assert docker.job("train") == "done"
    assert (docker.containers, runners(github)) == ({}, {})


def test_notes_that_are_damaged_are_as_good_as_none(keep_going, docker, files):
    files.make()
    (files.folder / f"{NAME}.json").write_text('{"process": "12')
    assert files.read() is None
    docker.queue("train", over=True)
    keep_going()
    assert files.read().jobs == 1


def test_a_log_that_grew_large_is_put_aside(tmp_path):
    script = (
        "import sys\n"
        "from skincli.runner.actions import detached\n"
        "from skincli.runner.actions.state import Files\n"
        "detached._LARGEST_LOG = 1000\n"
        "log = detached.Logged(Files('box'))\n"
        "for number in range(40):\n"
        "    log.note(f'line {number} ' + 'x' * 60 + chr(27))\n"
    )
    folder = tmp_path / "skincli" / "runners"
    folder.mkdir(parents=True)
    with (folder / "box.log").open("ab") as stream:
        command = [sys.executable, "-c", script]
        subprocess.run(command, env={"XDG_STATE_HOME": str(tmp_path)}, stdout=stream, check=True)
    assert (folder / "box.log.1").stat().st_size > 1000
    text = (folder / "box.log").read_text()
    assert "line 39" in text
    assert len(text) <= 1200
    assert "\x1b" not in text

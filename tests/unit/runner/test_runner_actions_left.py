"""What a supervisor was left with, or leaves: killed ones, containers of others."""

import json
import subprocess

import pytest
from conftest import REPOSITORY as URL
from conftest import TOKEN
from machine import NAME, REPOSITORY, wait_until
from standins.github import Repo

from skincli.errors import SkincliError, UsageError
from skincli.progress import Silent
from skincli.runner import actions
from skincli.runner.actions.state import Noted


@pytest.fixture
def docker(actions_docker):
    return actions_docker


def test_a_supervisor_that_was_killed_leaves_its_job_alone(box, docker):
    box.start()
    docker.queue("train")
    wait_until(lambda: box.status().noted.doing == "running the job train")
    box.kill_supervisor()
    found = box.status()
    assert (found.running, found.container.status, found.runner.busy) == (False, "running", True)
    assert found.noted.doing == "killed while running the job train"
    again = box.start()
    assert again.runner.busy
    assert docker.calls("stop") == []
    docker.finish("train")
    wait_until(lambda: docker.job("train") == "done")
    wait_until(
        lambda: len(box.created()) == 2 and [r.busy for r in box.runners.values()] == [False]
    )


def test_an_idle_container_of_a_killed_supervisor_is_replaced(box, docker):
    box.start()
    first = box.names()[0]
    box.kill_supervisor()
    box.start()
    first_again, second = box.names()
    assert first_again == first != second
    assert [runner.name for runner in box.runners.values()] == [second]


def test_a_container_that_docker_is_still_removing_is_waited_for(box, docker):
    docker.play(lingers=6)
    box.start()
    box.kill_supervisor()
    assert box.stop()
    assert (docker.containers, box.runners) == ({}, {})
    assert docker.calls("rm")


def test_a_stop_ends_what_a_killed_supervisor_left(box, docker):
    box.start()
    box.kill_supervisor()
    assert box.stop()
    assert (docker.containers, box.runners) == ({}, {})


def test_what_a_runner_of_another_repository_left_stays_noted(box, github):
    github.repositories["lab/other"] = Repo()
    box.files.make()
    box.files.write(Noted("1:1", "https://github.com/lab/other", registered=("box-1",)))
    namesake = github.register(REPOSITORY, "box-1", ["self-hosted"])
    assert not box.stop()
    assert box.status().noted.registered == ("box-1",)
    assert list(box.runners) == [namesake.id]


def test_a_container_of_somebody_else_is_not_said_to_be_stopped(box, docker):
    docker.add(NAME)
    assert not box.stop()
    assert docker.containers[NAME]["status"] == "running"


def test_a_container_that_was_made_and_never_started_is_no_hindrance(box, docker):
    docker.add(NAME, status="created", engine="actions", runner=f"{NAME}-000000")
    box.start()
    assert [call["argv"] for call in docker.calls("rm")] == [["rm", NAME]]
    assert box.status().runner.online


@pytest.mark.parametrize("labels", [{"engine": "cml"}, {}])
def test_a_container_that_this_engine_did_not_make_is_left_alone(box, docker, labels):
    docker.add(NAME, **labels)
    with pytest.raises(SkincliError, match="did not make"):
        box.start()
    assert docker.containers[NAME]["status"] == "running"
    assert docker.calls("stop") + docker.calls("rm") == []
    assert box.runners == {}


def test_two_supervisors_of_one_name_are_one_too_many(box, docker):
    box.start()
    with pytest.raises(UsageError, match="already"):
        box.start()
    with pytest.raises(UsageError, match="already"):
        actions.foreground(box.config, URL, TOKEN, box.environ, Silent())
    assert len(box.created()) == 1


def test_another_process_of_that_number_is_not_taken_for_the_supervisor(box, docker):
    box.start()
    box.kill_supervisor()
    noted = json.loads((box.files.folder / f"{NAME}.json").read_text())
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        noted["process"] = f"{other.pid}:1"
        (box.files.folder / f"{NAME}.json").write_text(json.dumps(noted))
        assert not box.status().running
        assert box.stop()
        assert other.poll() is None
        other.kill()

"""The supervisor of the engine `actions`, where docker or its containers fail."""

import pytest
from machine import NAME, REPOSITORY, Told

from skincli.errors import Interrupted, SkincliError
from skincli.runner.actions import supervisor


@pytest.fixture
def docker(actions_docker):
    return actions_docker


def runners(github):
    return github.repositories[REPOSITORY].runners


def pulls(docker):
    return len(docker.calls("pull"))


def test_containers_that_end_at_once_are_given_up(keep_going, docker, github, files):
    docker.play(actions="ends")
    with pytest.raises(SkincliError, match="5 containers in a row") as caught:
        keep_going()
    assert "An error occurred: Not configured" in caught.value.message
    assert "start it again" in caught.value.hint
    assert len(docker.calls("create")) == supervisor.MOST_FAILURES
    assert runners(github) == {}
    assert files.read().doing.startswith("gave up: 5 containers")


def test_a_failure_in_between_is_forgiven(keep_going, docker, github):
    docker.play(actions="ends")
    docker.queue("train", over=True)
    notes = Told()
    notes.then = lambda line: docker.play(actions="works") if "again in" in line else None
    keep_going(notes)
    assert docker.job("train") == "done"
    assert len(docker.calls("create")) == 2
    assert runners(github) == {}


def test_a_runner_that_github_finds_too_old_is_fetched_anew(keep_going, docker):
    docker.play(actions="outdated")
    docker.queue("train", over=True)
    notes = Told()
    notes.then = lambda line: docker.play(actions="works") if "again in" in line else None
    keep_going(notes)
    assert pulls(docker) == 1


def test_the_image_is_fetched_once_a_day(keep_going, docker, monkeypatch):
    docker.play(actions="ends")
    monkeypatch.setattr(supervisor, "REFRESH_SECONDS", -1.0)
    with pytest.raises(SkincliError):
        keep_going()
    assert pulls(docker) == supervisor.MOST_FAILURES


def test_a_registry_that_is_away_is_no_reason_to_stop(keep_going, docker, monkeypatch):
    monkeypatch.setattr(supervisor, "REFRESH_SECONDS", -1.0)
    docker.play(actions="ends", pull="Get https://ghcr.io/v2/: i/o timeout")
    docker.queue("train", over=True)
    notes = Told()
    notes.then = lambda line: docker.play(actions="works") if "again in" in line else None
    told = keep_going(notes)
    assert any("cannot be refreshed" in line and "i/o timeout" in line for line in told)
    assert docker.job("train") == "done"


def test_docker_away_is_waited_for_without_a_word_to_github(keep_going, docker, github):
    docker.play(engine="down")
    docker.queue("train", over=True)
    notes = Told()
    asked = []

    def told(line):
        if "docker does not answer" in line and len(notes.lines) == 3:
            asked.append(len(github.asked))
            docker.play(engine="up")

    notes.then = told
    keep_going(notes)
    assert asked == [0]
    assert docker.job("train") == "done"


def test_a_container_that_docker_refuses_to_make_is_given_up(keep_going, docker, github):
    docker.play(run="full")
    with pytest.raises(SkincliError, match="no space left on device"):
        keep_going()
    assert runners(github) == {}


def test_a_container_that_docker_cannot_start_does_not_keep_the_name(keep_going, docker, github):
    docker.play(toolkit="missing")
    docker.queue("train", over=True)
    notes = Told()
    notes.then = lambda line: docker.play(toolkit="ok") if "again in" in line else None
    told = keep_going(notes)
    assert any("could not select device driver" in line for line in told)
    assert len(docker.calls("create")) == 2
    assert docker.job("train") == "done"


def test_docker_restarted_under_a_job_does_not_end_its_turn(keep_going, docker, github):
    """With `live-restore` the container goes on, while docker's client ends."""
    docker.queue("train", over=True)
    docker.play(cut=True)
    told = keep_going()
    assert any("unexpected EOF" in line for line in told)
    assert len(docker.calls("attach")) == 1
    assert docker.job("train") == "done"


def test_a_container_that_cannot_be_stopped_does_not_keep_the_supervisor(keep_going, docker):
    docker.play(stop="cannot stop container: permission denied")
    notes = Told()

    def told(line):
        if "Listening for Jobs" in line:
            raise Interrupted(15)

    notes.then = told
    with pytest.raises(Interrupted):
        keep_going(notes)
    assert any("the next start clears this away" in line for line in notes.lines)


def test_a_container_that_is_killed_under_its_job_leaves_its_runner_noted(
    keep_going, docker, github, files
):
    """GitHub lists it until it gives up the job, and the next start has to know."""
    docker.queue("train")
    notes = Told()
    notes.then = lambda line: docker.run("kill", NAME) if "Running job" in line else None
    told = keep_going(notes)
    (ghost,) = runners(github).values()
    assert any(f"job of {ghost.name} was not seen (exit code 137)" in line for line in told)
    assert (files.read().jobs, files.read().registered) == (0, (ghost.name,))
    ghost.busy = False
    docker.queue("more", over=True)
    keep_going()
    assert (files.read().jobs, runners(github)) == (1, {})

"""A runner that was stopped, started again."""

import pytest
from standins.github import Token

from skincli.errors import Interrupted, SkincliError, UsageError
from skincli.runner import lifecycle
from skincli.runner.engine import NotListed

NAME = "skincli-runner"


def stop(place, environ=None, force=False, **settings):
    config = place.config(**settings)
    return lifecycle.stop(config, environ or place.environ, place.notes, force=force)


def start(place, environ=None, allow_public=False, **settings):
    config = place.config(**settings)
    return lifecycle.start(config, environ or place.environ, place.notes, allow_public=allow_public)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_stopped_runner_is_started_again_under_a_new_name(up, end):
    before = up.runners[0].name
    up.docker.run(end, NAME)
    found = start(up)
    assert found.running
    (runner,) = found.runners
    assert runner.online
    assert runner.name != before
    assert [each.name for each in up.runners] == [runner.name]
    up.assert_token_stayed_secret(repr(found))


def test_a_runner_that_runs_is_not_started_twice(up):
    assert [each.name for each in start(up).runners] == [up.runners[0].name]
    assert up.docker.calls("start") == []


def test_a_start_again_needs_the_token(up):
    stop(up)
    with pytest.raises(UsageError, match="REPO_TOKEN is not set") as caught:
        start(up, up.docker.environ)
    assert "classic token" in caught.value.hint
    assert up.docker.calls("start") == []


def test_a_start_again_that_docker_refuses_gives_its_reason(up):
    stop(up)
    up.docker.play(run="full")
    with pytest.raises(SkincliError, match="no space left on device"):
        start(up)


def test_a_start_again_that_ends_at_once_is_stopped_and_shown(up):
    stop(up)
    up.docker.play(cml="ends", code=3, log=["bad token TOKEN"])
    with pytest.raises(SkincliError, match=r"exit code 3 .*bad token \*\*\*"):
        start(up)
    assert up.docker.containers[NAME]["status"] == "exited"
    up.assert_token_stayed_secret()


def test_a_start_again_that_is_not_listed_in_time_goes_on(up):
    stop(up)
    up.docker.play(cml="silent")
    with pytest.raises(NotListed):
        start(up, start_timeout=0.3)
    assert up.docker.containers[NAME]["status"] == "running"


def test_a_token_that_lost_its_rights_is_refused_before_the_start(up):
    stop(up)
    up.github.tokens[up.token] = Token(rights="none", scopes="gist")
    with pytest.raises(SkincliError, match="404"):
        start(up)
    assert up.docker.calls("start") == []


def test_a_repository_that_became_public_is_not_started_for(up):
    stop(up)
    up.repo.private = False
    with pytest.raises(SkincliError, match="visibility: anna/lesions is public"):
        start(up)
    assert up.docker.calls("start") == []
    assert start(up, allow_public=True).running


def test_a_start_again_that_cannot_be_taken_back_says_so_and_stays_interrupted(up, monkeypatch):
    def interrupted(*_):
        raise Interrupted(2)

    stop(up)
    monkeypatch.setattr("skincli.runner.cml.wait_until_registered", interrupted)
    up.docker.play(stop="cannot stop container: permission denied")
    with pytest.raises(Interrupted):
        start(up)
    assert "warning: the runner may still run: docker could not stop" in up.notes.lines[-1]

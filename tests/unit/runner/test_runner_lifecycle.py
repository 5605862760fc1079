import pytest
from standins.faults import answers
from standins.github import Repo

from skincli.errors import SkincliError, UsageError
from skincli.runner import container, lifecycle
from skincli.runner.github_api import TRIES

NAME = "skincli-runner"


def status(place, environ=None, **settings):
    return lifecycle.status(place.config(**settings), environ or place.environ)


def stop(place, environ=None, force=False, **settings):
    config = place.config(**settings)
    return lifecycle.stop(config, environ or place.environ, place.notes, force=force)


def start(place, environ=None, allow_public=False, **settings):
    config = place.config(**settings)
    return lifecycle.start(config, environ or place.environ, place.notes, allow_public=allow_public)


def test_the_state_of_a_runner_that_runs(up):
    up.ghost("cml-of-another-host", status="online")
    found = status(up)
    assert found.running
    assert (found.container.status, found.unknown) == ("running", "")
    (runner,) = found.runners
    assert (runner.name, runner.status) == (up.runners[0].name, "online")


def test_after_a_restart_the_new_name_is_told(up):
    up.docker.run("crash", NAME)
    found = status(up)
    assert found.container.restarts == 1
    assert [each.id for each in found.runners] == [up.runners[1].id]


def test_the_state_of_one_that_was_killed(up):
    up.docker.run("kill", NAME)
    found = status(up)
    assert not found.running
    assert (found.container.status, found.container.exit_code) == ("exited", 137)
    assert [each.status for each in found.runners] == ["offline"]


def test_the_state_where_nothing_was_set_up(place):
    found = status(place)
    assert (found.running, found.container, found.runners) == (False, None, ())


def test_without_a_token_the_container_alone_is_told_of(up):
    found = status(up, up.docker.environ)
    assert found.running
    assert found.unknown == "REPO_TOKEN is not set"


def test_a_github_that_is_away_does_not_hide_the_container(up):
    up.github.faults["runners"] = [answers(502)] * TRIES
    found = status(up)
    assert found.running
    assert "answers 502" in found.unknown


def test_an_engine_that_is_down_is_an_error_with_its_mend(up):
    up.docker.play(engine="down")
    with pytest.raises(SkincliError, match="Cannot connect") as caught:
        status(up)
    assert "systemctl start docker" in caught.value.hint


def test_a_docker_that_cannot_be_found_is_an_error_with_its_mend(up):
    up.docker.remove("docker")
    with pytest.raises(SkincliError, match="there is no `docker` command") as caught:
        status(up)
    assert "engine/install" in caught.value.hint


def test_a_stop_lets_the_runner_unregister_and_keeps_the_container(up):
    result = stop(up)
    assert (result.stopped, result.unregistered, result.left) == (True, True, "")
    assert up.runners == []
    assert up.docker.containers[NAME]["status"] == "exited"
    (call,) = up.docker.calls("stop")
    assert call["argv"] == ["stop", "-t", "60", up.docker.containers[NAME]["id"]]


def test_a_stop_removes_what_did_not_unregister(up):
    up.docker.play(cml="deaf")
    assert stop(up).unregistered
    assert up.runners == []


def test_a_stop_removes_the_ghost_of_one_that_was_killed(up):
    up.docker.run("kill", NAME)
    result = stop(up)
    assert (result.stopped, result.unregistered) == (False, True)
    assert up.runners == []


def test_a_stop_leaves_the_ghosts_of_others(up):
    up.ghost("cml-0123456789")
    stop(up)
    assert [each.name for each in up.runners] == ["cml-0123456789"]


def test_a_runner_at_work_is_not_stopped(up):
    up.runners[0].busy = True
    with pytest.raises(SkincliError, match="is at work on a job") as caught:
        stop(up)
    assert "--force" in caught.value.hint
    assert up.docker.containers[NAME]["status"] == "running"
    assert up.docker.calls("stop") == []


def test_by_force_it_is_killed_with_its_job_and_github_holds_on_to_it(up):
    up.runners[0].busy = True
    result = stop(up, force=True)
    assert "is still running a job" in up.docker.containers[NAME]["log"][-1]
    assert (result.stopped, result.unregistered) == (True, False)
    assert f"cancel the job of {up.runners[0].name}" in result.left
    assert "warning: " in up.notes.lines[-1]


def test_where_nobody_tells_whether_it_is_at_work_a_stop_says_so(up):
    stop(up, up.docker.environ)
    name = up.docker.containers[NAME]["runner"]["agentName"]
    assert any(f"whether {name} is at work" in line for line in up.notes.lines)


def test_the_namesake_of_a_number_is_neither_shown_nor_removed(up):
    """Another repository counts its runners by itself."""
    (mine,) = up.runners
    up.docker.run("kill", NAME)
    mine.name = "of-another-machine"
    assert status(up).runners == ()
    assert stop(up).unregistered
    assert [each.name for each in up.runners] == ["of-another-machine"]
    assert start(up).runners[0].online
    assert len(up.runners) == 2


@pytest.mark.parametrize("act", [stop, start, status])
def test_a_clone_of_another_repository_is_told_whose_runner_it_is(up, act):
    up.github.repositories["bob/other"] = Repo(runners=dict(up.repo.runners))
    with pytest.raises(UsageError, match=r"of https://github.com/anna/lesions, not of .*bob/oth"):
        act(up, repo="https://github.com/bob/other")
    assert up.docker.containers[NAME]["status"] == "running"
    assert len(up.github.repositories["bob/other"].runners) == 1


def test_the_case_of_an_address_makes_no_other_repository(up):
    assert status(up, repo="https://github.com/Anna/Lesions").running


def test_a_link_in_the_place_of_a_registration_is_not_followed(up, tmp_path):
    (tmp_path / "mine.json").write_text('{"agentId": 1, "agentName": "a"}')
    up.docker.play(link=str(tmp_path / "mine.json"))
    assert container.registration(NAME, up.docker.environ) is None


def test_a_stop_without_a_token_says_how_to_look(up):
    up.docker.play(cml="deaf")
    result = stop(up, up.docker.environ)
    assert (result.stopped, result.unregistered) == (True, None)
    assert "with REPO_TOKEN, `--stop` again" in result.left
    assert stop(up).unregistered
    assert up.runners == []


def test_a_stop_where_github_is_away_is_a_stop(up):
    up.github.faults["runners"] = [answers(502)] * TRIES * 2
    result = stop(up)
    assert (result.stopped, result.unregistered) == (True, None)
    assert "answers 502" in result.left


def test_another_machines_runner_is_not_taken_for_one_that_has_not_registered(up):
    up.ghost("gpuserver", status="online")
    up.docker.play(link="/nowhere")
    assert status(up).runners == ()


def test_a_stop_whose_runner_cannot_be_told_says_so(up, monkeypatch):
    monkeypatch.setattr("skincli.runner.container._REGISTRATION", "/nowhere")
    assert "--replace" in stop(up).left


@pytest.mark.parametrize("act", [stop, start])
def test_nothing_to_act_on_is_an_error(place, act):
    with pytest.raises(UsageError, match="there is no container `skincli-runner`"):
        act(place)


@pytest.mark.parametrize("act", [stop, start])
def test_a_container_of_someone_else_is_not_touched(place, act):
    place.docker.add(NAME)
    with pytest.raises(UsageError, match="was not made by skincli"):
        act(place)
    assert place.docker.changes() == []

"""One runner in the place of another: what ends, what GitHub forgets, what is left alone."""

import pytest

from skincli.errors import SkincliError
from skincli.runner.set_up import set_up_runner

NAME = "skincli-runner"


def set_up(place, **options):
    return set_up_runner(place.config(), place.notes, place.environ, **options)


def test_a_replacement_ends_the_old_runner_and_forgets_ghosts(place):
    old = set_up(place).runner
    place.ghost("cml-01234567ab")
    new = set_up(place, replace=True).runner
    assert old.id != new.id
    assert [each.id for each in place.runners] == [new.id]
    assert place.docker.containers.keys() == {NAME}


def test_a_replacement_of_one_that_was_killed_removes_its_ghost(place):
    set_up(place)
    place.docker.run("kill", NAME)
    assert set_up(place, replace=True).started
    assert [each.status for each in place.runners] == ["online"]


def test_a_replacement_touches_no_container_of_someone_else(place):
    place.docker.add(NAME)
    result = set_up(place, replace=True)
    assert [check.name for check in result.failures] == ["container name"]
    assert place.docker.calls("stop") == []


def test_a_runner_that_crashes_and_is_restarted_meets_no_ghost_of_its_own(place):
    first = set_up(place).runner
    place.docker.run("crash", NAME)
    names = {each.name: each.status for each in place.runners}
    assert names.pop(first.name) == "offline"
    assert list(names.values()) == ["online"]


def test_a_runner_at_work_is_replaced_by_force_alone(place):
    (mine,) = [set_up(place).runner]
    place.repo.runners[mine.id].busy = True
    with pytest.raises(SkincliError, match="is at work on a job"):
        set_up(place, replace=True)
    assert place.docker.containers[NAME]["status"] == "running"
    assert set_up(place, replace=True, force=True).started
    assert len(place.runners) == 2  # GitHub keeps what it thinks busy


def test_a_replacement_leaves_a_namesake_of_its_number_alone(place):
    old = set_up(place).runner
    place.docker.run("kill", NAME)
    place.repo.runners[old.id].name = "gpuserver"
    set_up(place, replace=True)
    assert "gpuserver" in [each.name for each in place.runners]

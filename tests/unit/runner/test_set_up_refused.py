"""What stops a start before anything is started."""

import pytest
from setting_up import NAME, check_of, failures, set_up, started
from standins.github import NEWEST_RUNNER

from skincli.runner import volume


def test_what_fails_stops_the_start(place):
    place.docker.play(engine="down")
    result = set_up(place)
    assert not result.started
    assert failures(result).keys() == {"docker engine"}
    assert place.docker.changes() == []


def test_a_docker_that_cannot_be_found_is_said_once(place):
    place.docker.remove("docker")
    result = set_up(place)
    assert failures(result).keys() == {"docker client"}


@pytest.mark.parametrize("token", ["", "a\nPATH=/tmp"])
def test_a_missing_or_impossible_token_stops_the_start(place, token):
    result = set_up(place, environ=place.docker.environ | {"REPO_TOKEN": token})
    assert failures(result).keys() == {"token"}
    assert started(place.docker) == []
    assert place.github.asked == [] or {a.path for a in place.github.asked} == {NEWEST_RUNNER}


def test_a_token_without_rights_is_found_out_before_anything_starts(place):
    result = set_up(place, environ=place.docker.environ | {"REPO_TOKEN": "weak"})
    assert failures(result).keys() == {"token's rights"}
    assert started(place.docker) == []


def test_an_image_is_downloaded_only_where_nothing_else_fails(place):
    place.docker.forget_image()
    set_up(place, environ=place.docker.environ)
    assert place.docker.calls("pull") == []
    assert set_up(place).started
    assert len(place.docker.calls("pull")) == 1


def test_an_image_that_cannot_be_downloaded_stops_the_start(place):
    place.docker.forget_image()
    place.docker.play(pull="manifest unknown: manifest unknown")
    result = set_up(place)
    assert failures(result).keys() == {"image"}
    assert started(place.docker) == []


def test_a_public_repository_is_refused_unless_it_is_accepted(place):
    place.repo.private = False
    result = set_up(place)
    assert failures(result).keys() == {"visibility"}
    assert "a stranger's pull request could run code" in failures(result)["visibility"].found
    assert started(place.docker) == []
    accepted = set_up(place, allow_public=True)
    assert accepted.started
    assert {c.name: c.level for c in accepted.checks}["visibility"] == "warning"


@pytest.mark.parametrize("machine", ["aarch64", "arm64"])
def test_on_arm_the_other_engine_is_named(place, machine):
    place.docker.play(info={"Architecture": machine})
    check = failures(set_up(place))["architecture"]
    assert "--engine actions" in check.mend
    result = set_up(place, dry_run=True, settings={"engine": "actions"}.items())
    assert "architecture" not in failures(result)
    assert '"ARM64"' in result.commands[-2]


def test_a_machine_that_no_runner_is_made_for_gets_all_checks_and_no_commands(place):
    place.docker.play(info={"Architecture": "riscv64"})
    result = set_up(place, dry_run=True, settings={"engine": "actions"}.items())
    assert failures(result).keys() == {"architecture"}
    assert check_of(result, "visibility").ok
    assert result.commands == ()


def test_a_github_that_is_away_stops_the_start(place):
    result = set_up(place, settings={"api": "http://127.0.0.1:9"}.items())
    assert failures(result).keys() == {"token's rights"}


@pytest.mark.parametrize(
    ("uri", "level"),
    [
        (None, "ok"),
        ("sqlite:////skincli/other.db", "ok"),
        ("http://mlflow.lan:5000", "ok"),
        ("http://127.0.0.1:5000", "warning"),
        ("http://localhost:5000", "warning"),
        ("none", "warning"),
        ("sqlite:///mine.db", "failure"),
        ("sqlite:////home/anna/mlflow.db", "failure"),
        ("sqlite:////skincli/../mlflow.db", "failure"),
        ("http://anna:hunter2@mlflow.lan:5000", "failure"),
        ("http://mlflow.lan:5000\nPATH=/tmp", "failure"),
    ],
)
def test_a_store_must_outlive_a_job(place, uri, level):
    check = volume.store(place.config(uri=uri))
    assert check.level == level
    assert "hunter2" not in repr(check)
    assert check.ok or check.mend


def test_a_folder_that_is_not_there_stops_the_start(place):
    result = set_up(place, settings={"mounts": ["/srv/no/such/folder"]})
    assert failures(result).keys() == {"mounts"}
    assert not place.docker.containers


def test_a_taken_name_stops_the_start(place):
    place.docker.add(NAME, status="exited", engine="cml")
    assert failures(set_up(place)).keys() == {"container name"}
    assert place.docker.containers.keys() == {NAME}

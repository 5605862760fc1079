import os
import shlex
import subprocess

import pytest
from standins.faults import answers

from skincli.errors import UsageError
from skincli.runner.github_api import TRIES
from skincli.runner.set_up import set_up_runner
from skincli.runner.volume import host_name

IMAGE = "iterativeai/cml:0-dvc2-base1-gpu"
NAME = "skincli-runner"
VARIABLES = {
    "_CML_RUNNER_SENSITIVE_ENV": "REPO_TOKEN",
    "SKINCLI_VOLUME": "/skincli",
    "SKINCLI__TRACKING__URI": "sqlite:////skincli/mlflow.db",
    "SKINCLI__RUN__ROOT": "/skincli/runs",
    "SKINCLI__EVALUATE__ROOT": "/skincli/evaluations",
    "UV_CACHE_DIR": "/skincli/uv",
    "UV_PYTHON_INSTALL_DIR": "/skincli/python",
    "XDG_CACHE_HOME": "/skincli/cache",
}


def set_up(place, *, environ=None, uri=None, settings=(), **options):
    config = place.config(uri=uri, **dict(settings))
    return set_up_runner(config, place.notes, environ or place.environ, **options)


def failures(result):
    return {check.name: check for check in result.failures}


def started(docker):
    return [call for call in docker.calls("run") if "-d" in call["argv"]]


def test_a_runner_is_started_as_documented(place):
    result = set_up(place)
    assert result.started
    assert failures(result) == {}
    (runner,) = place.runners
    assert (result.runner.id, result.runner.name) == (runner.id, runner.name)
    assert result.runner.labels == ("self-hosted", "Linux", "X64", "cml-gpu")
    (run,) = started(place.docker)
    assert run["argv"] == shlex.split(
        f"run -d --init --name skincli-runner --hostname {host_name('skincli-runner')} "
        "--label skincli=runner --label skincli.engine=cml "
        f"--label skincli.repository={place.repository} "
        "--restart unless-stopped --gpus all --shm-size 8g --stop-timeout 60 "
        "-v skincli-runner:/skincli -e REPO_TOKEN "
        f"{' '.join(f'-e {name}={value}' for name, value in VARIABLES.items())} "
        "iterativeai/cml:0-dvc2-base1-gpu runner launch --driver github "
        "--repo https://github.com/anna/lesions --labels cml-gpu --idle-timeout 0"
    )
    assert place.docker.state()["volumes"] == ["skincli-runner"]
    place.assert_token_stayed_secret(repr(result))


def test_dockers_client_alone_is_told_the_token_and_no_file_holds_it(place, tmp_path):
    set_up(place, environ=place.environ | {"GH_TOKEN": place.token})
    (run,) = started(place.docker)
    assert run["env"]["REPO_TOKEN"] == place.token
    assert place.docker.containers[NAME]["env"] == {"REPO_TOKEN": place.token} | VARIABLES
    place.assert_token_stayed_secret()
    kept = {place.docker.folder / name for name in ("state.json", "calls.jsonl")}
    for path in set(tmp_path.rglob("*")) - kept:
        assert not path.is_file() or place.token.encode() not in path.read_bytes(), path


def test_without_a_gpu_neither_is_asked_for_nor_given(place):
    place.docker.remove("nvidia-smi")
    place.docker.play(toolkit="missing")
    result = set_up(place, settings={"gpu": False}.items())
    assert result.started
    assert "--gpus" not in started(place.docker)[0]["argv"]
    assert {"NVIDIA driver", "NVIDIA container toolkit"}.isdisjoint(c.name for c in result.checks)


@pytest.mark.parametrize(
    ("settings", "ending"),
    [
        ({"idle_timeout": "3min"}, ["--idle-timeout", "3min"]),
        ({"single": True}, ["--idle-timeout", "0", "--single"]),
    ],
)
def test_a_runner_that_ends_on_purpose_is_not_restarted(place, settings, ending):
    set_up(place, settings=settings.items())
    (run,) = started(place.docker)
    assert "--restart" not in run["argv"]
    assert run["argv"][-len(ending) :] == ending


def test_a_runner_that_registers_late_is_waited_for(place):
    place.docker.play(looks=5)
    assert set_up(place).runner.name.startswith("cml-")


def test_a_runner_whose_number_cannot_be_read_is_told_by_what_is_new(place, monkeypatch):
    place.ghost("cml-of-another", status="online")
    monkeypatch.setattr("skincli.runner.container._REGISTRATION", "/nowhere")
    found = set_up(place).runner
    assert found.name != "cml-of-another"
    assert found.name in {each.name for each in place.runners}


def test_github_may_fail_while_it_is_waited_for(place):
    place.docker.play(looks=3)
    place.github.faults["runners"] = [None, *[answers(502)] * TRIES]
    assert set_up(place).started


def test_a_dry_run_changes_nothing_and_shows_no_token(place):
    place.docker.forget_image()
    result = set_up(place, dry_run=True)
    assert not result.started
    assert place.docker.changes() == []
    assert result.commands[0] == f"docker pull --quiet {IMAGE}"
    assert " -e REPO_TOKEN -e _CML_RUNNER_SENSITIVE_ENV=REPO_TOKEN " in result.commands[-1]
    levels = {check.name: check.level for check in result.checks}
    assert (levels["image"], levels["NVIDIA container toolkit"]) == ("warning", "warning")
    place.assert_token_stayed_secret(repr(result))


def shell(place, commands):
    """The lines as somebody types them, in a shell that stops at the first that fails."""
    environ = place.environ | {"PATH": f"{place.docker.folder}:{os.environ['PATH']}"}
    script = "set -euo pipefail\n" + "\n".join(commands)
    subprocess.run(["bash", "-c", script], env=environ, check=True, capture_output=True)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"labels": "gpu,a100", "idle_timeout": "1h", "gpu": False, "shm_size": "512m"},
        {"single": True, "name": "gpu.2", "volume": "kept_here", "cml_image": "a/b:c"},
        {"uri": "sqlite:////skincli/50%s of $HOME's \\n.db"},
    ],
)
def test_the_commands_shown_do_what_a_start_does(place, settings):
    place.docker.forget_image()
    settings = dict(settings)
    uri = settings.pop("uri", None)
    typed = set_up(place, dry_run=True, uri=uri, settings=settings.items()).commands
    shell(place, typed)
    by_hand = place.docker.changes()
    assert len(place.runners) == 1
    name = settings.get("name", NAME)
    for words in (("stop", name), ("rm", name)):
        place.docker.run(*words)
    place.docker.forget_image()
    before = len(place.docker.changes())
    set_up(place, uri=uri, settings=settings.items())
    by_itself = place.docker.changes()[before:]
    assert [call["argv"] for call in by_hand] == [call["argv"] for call in by_itself]
    assert by_hand[-1]["env"]["REPO_TOKEN"] == by_itself[-1]["env"]["REPO_TOKEN"]


def test_the_commands_shown_for_a_replacement_do_what_it_does(place):
    set_up(place)
    place.ghost("cml-0123456789")
    typed = set_up(place, dry_run=True, replace=True).commands
    assert place.token not in "\n".join(typed)
    before = len(place.docker.changes())
    shell(place, typed)
    verbs = [call["argv"][0] for call in place.docker.changes()[before:]]
    assert verbs == ["run", "stop", "rm", "run"]
    assert [each.status for each in place.runners] == ["online"]


def test_a_dry_run_lists_everything_that_fails(place):
    place.docker.play_driver("NVIDIA-SMI has failed because it couldn't communicate", 9)
    place.docker.play(toolkit="broken")
    place.docker.add(NAME)
    result = set_up(
        place,
        dry_run=True,
        environ=place.docker.environ,
        uri="sqlite:///mine.db",
        settings={"repo": None}.items(),
    )
    failed = failures(result)
    assert failed.keys() == {
        *("NVIDIA driver", "container name", "token", "repository", "tracking store"),
        "NVIDIA container toolkit",
    }
    assert all(check.mend for check in failed.values())
    assert "OWNER/NAME" in "\n".join(result.commands)


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


@pytest.mark.parametrize("token", ["", "two words", "tökén", "a\nPATH=/tmp"])
def test_a_missing_or_impossible_token_stops_the_start(place, token):
    result = set_up(place, environ=place.docker.environ | {"REPO_TOKEN": token})
    assert failures(result).keys() == {"token"}
    assert started(place.docker) == []
    assert place.github.asked == [] or {a.path for a in place.github.asked} == {
        "/repos/actions/runner/releases/latest"
    }


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


def test_a_github_that_refuses_unknown_askers_is_a_warning(place, monkeypatch):
    monkeypatch.setattr(
        place.github,
        "answer",
        lambda asked, handler: handler.reply(403 if "releases" in asked.path else 401),
    )
    checks = {check.name: check for check in set_up(place).checks}
    assert checks["runner download"].level == "warning"
    assert "status 403" in checks["runner download"].found
    assert checks["token's rights"].level == "failure"


def test_a_github_that_is_away_stops_the_start(place):
    result = set_up(place, settings={"api": "http://127.0.0.1:9"}.items())
    assert failures(result).keys() == {"runner download", "token's rights"}


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
    result = set_up(place, dry_run=True, uri=uri)
    check = next(check for check in result.checks if check.name == "tracking store")
    assert check.level == level
    assert "hunter2" not in repr(check)
    assert check.ok or check.mend


def test_a_folder_of_this_machine_can_be_read_by_the_jobs_where_it_is(place, tmp_path):
    (tmp_path / "remote").mkdir()
    set_up(place, settings={"mounts": [str(tmp_path / "remote")]})
    (run,) = started(place.docker)
    assert (
        f"-v skincli-runner:/skincli -v {tmp_path}/remote:{tmp_path}/remote:ro -e REPO_TOKEN"
        in (" ".join(run["argv"]))
    )


def test_a_folder_that_is_not_there_stops_the_start(place):
    result = set_up(place, settings={"mounts": ["/srv/no/such/folder"]})
    assert failures(result).keys() == {"mounts"}
    assert not place.docker.containers


def test_a_server_is_what_the_jobs_are_told_of(place):
    set_up(place, uri="http://mlflow.lan:5000")
    told = place.docker.containers[NAME]["env"]
    assert told["SKINCLI__TRACKING__URI"] == "http://mlflow.lan:5000"


def test_a_taken_name_stops_the_start(place):
    place.docker.add(NAME, status="exited", engine="cml")
    assert failures(set_up(place)).keys() == {"container name"}
    assert place.docker.containers.keys() == {NAME}


def test_ghosts_are_told_of_and_left(place):
    place.ghost("cml-0123456789", labels=("self-hosted", "CML-GPU"))
    place.ghost("cml-of-other-labels", labels=("self-hosted", "arm"))
    place.ghost("somebodys-workstation")
    place.ghost("cml-at-work", status="online")
    check = next(check for check in set_up(place).checks if check.name == "ghosts")
    assert check.level == "warning"
    assert check.found.endswith("offline: cml-0123456789")
    assert len(place.runners) == 5


def test_the_foreground_is_for_the_other_engine(place):
    with pytest.raises(UsageError, match="engine actions"):
        set_up(place, foreground=True)
    assert place.docker.calls() == []

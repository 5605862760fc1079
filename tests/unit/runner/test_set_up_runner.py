import dataclasses
import json
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from skincli.config.automation import RunnerConfig
from skincli.config.schema import Config
from skincli.errors import ConfigError, SkincliError
from skincli.progress import Silent
from skincli.runner import set_up_runner

TOKEN = "ghp_0123456789abcdefTOKEN"
REPOSITORY = "https://github.com/anna/lesions"
CONTAINER = "4f1c" * 16


class Notes(Silent):
    def __init__(self):
        self.lines = []

    def note(self, message):
        self.lines.append(message)


def config(**settings):
    return Config(runner=RunnerConfig(**{"repo": REPOSITORY} | settings))


def set_up(programs, *, dry_run=False, token=TOKEN, progress=None, **settings):
    environ = programs.environ | ({} if token is None else {"REPO_TOKEN": token})
    return set_up_runner(config(**settings), progress or Silent(), dry_run, environ)


def failures(result):
    return {check.name: check for check in result.checks if not check.ok}


def changing_calls(programs):
    return [call for call in programs.calls() if call["argv"][0] in ("run", "rm", "stop", "pull")]


def assert_token_stayed_secret(programs, *shown):
    for call in programs.calls():
        assert TOKEN not in " ".join(call["argv"])
        assert TOKEN not in json.dumps(call["env"])
    for text in shown:
        assert TOKEN not in text


def test_a_runner_is_started_as_documented(programs):
    progress = Notes()
    result = set_up(programs, progress=progress)
    assert (result.started, result.container) == (True, CONTAINER)
    assert failures(result) == {}
    (run,) = programs.calls("run")
    env_file = run["env_file"]
    assert run["argv"] == shlex.split(
        "run -d --init --name skincli-runner --label skincli=runner --restart unless-stopped "
        f"--gpus all --shm-size 8g --stop-timeout 60 --env-file {env_file} "
        "iterativeai/cml:0-dvc2-base1-gpu runner launch --driver github "
        f"--repo {REPOSITORY} --labels cml-gpu --idle-timeout never"
    )
    assert_token_stayed_secret(programs, repr(result), *progress.lines)


def test_the_env_file_is_private_and_gone_afterwards(programs):
    set_up(programs)
    (run,) = programs.calls("run")
    assert stat.S_IMODE(run["env_file_mode"]) == 0o600
    assert run["env_file_text"] == (f"REPO_TOKEN={TOKEN}\n_CML_RUNNER_SENSITIVE_ENV=REPO_TOKEN\n")
    assert not Path(run["env_file"]).exists()


def test_without_a_gpu_neither_is_asked_for_nor_given(programs):
    programs.remove("nvidia-smi")
    programs.play("docker info", (0, '{"runc":{}}\n', ""))
    result = set_up(programs, gpu=False)
    assert result.started
    assert "--gpus" not in programs.calls("run")[0]["argv"]
    assert {"GPU", "NVIDIA container runtime"}.isdisjoint(c.name for c in result.checks)


def test_a_runner_that_stops_itself_is_not_restarted(programs):
    set_up(programs, idle_timeout="3min")
    (run,) = programs.calls("run")
    assert "--restart" not in run["argv"]
    assert run["argv"][-2:] == ["--idle-timeout", "3min"]


@pytest.mark.parametrize("value", ["never", "90", "30s", "3min", "1h", "2hours30min"])
def test_idle_timeouts_that_are_accepted(programs, value):
    assert set_up(programs, dry_run=True, idle_timeout=value).checks


@pytest.mark.parametrize("value", ["", "0", "-1", "soon", "3 min", "1.5h", "3min!", "never\n"])
def test_idle_timeouts_that_are_refused(programs, value):
    with pytest.raises(ConfigError, match="idle_timeout"):
        set_up(programs, dry_run=True, idle_timeout=value)
    assert programs.calls() == []


def test_a_dry_run_changes_nothing_and_shows_no_token(programs):
    result = set_up(programs, dry_run=True)
    assert (result.started, result.container) == (False, None)
    assert changing_calls(programs) == []
    write, run, remove = result.commands
    assert shlex.split(run)[:3] == ["docker", "run", "-d"]
    assert "--env-file runner.env" in run
    assert remove == "rm runner.env"
    assert '"$REPO_TOKEN"' in write
    assert_token_stayed_secret(programs, repr(result))


def test_the_commands_shown_do_what_a_start_does(programs):
    set_up(programs, labels="gpu,my lab")
    typed = set_up(programs, dry_run=True, labels="gpu,my lab").commands
    environ = programs.environ | {"PATH": f"{programs.folder}:/usr/bin:/bin", "REPO_TOKEN": TOKEN}
    subprocess.run(["/bin/sh", "-ec", "\n".join(typed)], env=environ, check=True)
    started, by_hand = programs.calls("run")
    assert by_hand["env_file_text"] == started["env_file_text"]
    assert stat.S_IMODE(by_hand["env_file_mode"]) == 0o600
    assert not Path("runner.env").exists()
    without_file = [
        [a for a in call["argv"] if a != call["env_file"]] for call in (started, by_hand)
    ]
    assert without_file[0] == without_file[1]


def test_a_dry_run_lists_everything_that_fails(programs):
    programs.play_gpu((9, "NVIDIA-SMI has failed because it couldn't communicate\n", ""))
    programs.play("docker info", (0, '{"runc":{}}\n', ""))
    programs.play("docker inspect", (0, "running runner\n", ""))
    result = set_up(programs, dry_run=True, token=None, repo=None)
    failed = failures(result)
    names = {"GPU", "NVIDIA container runtime", "container name", "token", "repository"}
    assert failed.keys() == names
    assert all(check.mend for check in failed.values())
    assert "OWNER/NAME" in result.commands[1]


@pytest.mark.parametrize("token", [None, "", "two words", f"{TOKEN}\nPATH=/tmp", "tökén"])
def test_a_missing_or_impossible_token_stops_the_start(programs, token):
    with pytest.raises(SkincliError) as caught:
        set_up(programs, token=token)
    assert "REPO_TOKEN" in caught.value.message
    assert TOKEN not in caught.value.message + caught.value.hint
    assert changing_calls(programs) == []


def test_failed_checks_are_named_with_their_mends(programs):
    programs.play(
        "docker version",
        (1, "\n", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n"),
    )
    with pytest.raises(SkincliError, match=r"docker engine .*Cannot connect") as caught:
        set_up(programs)
    assert "systemctl start docker" in caught.value.hint
    assert "container name" not in caught.value.message
    assert changing_calls(programs) == []


def test_a_docker_that_cannot_be_found_is_said_once(programs):
    programs.remove("docker")
    result = set_up(programs, dry_run=True)
    assert failures(result).keys() == {"docker client"}
    assert "install" in failures(result)["docker client"].mend


def test_a_taken_name_stops_the_start(programs):
    programs.play("docker inspect", (0, "exited runner\n", ""))
    with pytest.raises(SkincliError, match="exited") as caught:
        set_up(programs)
    assert "docker rm skincli-runner" in caught.value.hint
    assert changing_calls(programs) == []


def test_dockers_own_reason_is_given_without_its_pointer_to_help(programs):
    reason = 'Error response from daemon: could not select device driver "" with [[gpu]]'
    complaint = f"docker: {reason}.\n\nRun 'docker run --help' for more information\n"
    programs.play("docker run", (125, "", complaint))
    with pytest.raises(SkincliError) as caught:
        set_up(programs)
    assert caught.value.message == f"docker could not start the runner: {reason}"
    (run,) = programs.calls("run")
    assert not Path(run["env_file"]).exists()


def test_a_container_that_was_created_but_not_started_is_removed(programs):
    programs.play("docker run", (125, CONTAINER + "\n", "docker: it broke\n"))
    programs.play("docker inspect", programs.no_container, (0, "created runner\n", ""))
    with pytest.raises(SkincliError, match="it broke"):
        set_up(programs)
    assert [call["argv"] for call in programs.calls("rm")] == [["rm", "skincli-runner"]]


@pytest.mark.parametrize("state", ["running runner\n", "created \n"])
def test_a_container_of_someone_else_is_left_alone(programs, state):
    programs.play("docker run", (125, "", "docker: Conflict\n"))
    programs.play("docker inspect", programs.no_container, (0, state, ""))
    with pytest.raises(SkincliError, match="Conflict"):
        set_up(programs)
    assert programs.calls("rm") == []


def test_a_token_that_docker_repeats_is_masked(programs):
    programs.play("docker run", (125, "", f"docker: bad line REPO_TOKEN={TOKEN} in file\n"))
    with pytest.raises(SkincliError) as caught:
        set_up(programs)
    assert "bad line REPO_TOKEN=*** in file" in caught.value.message
    assert_token_stayed_secret(programs, caught.value.message, caught.value.hint)


def test_results_cannot_be_changed(programs):
    result = set_up(programs, dry_run=True)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.started = True

import os
import shutil
import stat
import time

import pytest

from skincli.runner import checks
from skincli.runner.ask import ask


def test_the_complaint_is_the_last_telling_line(programs):
    programs.play(
        "docker run", (1, "", "pulling\ndocker: no space left.\n\nSee 'docker run --help'.\n")
    )
    assert ask(["docker", "run"], programs.environ).complaint == "no space left"


def test_a_silent_failure_still_has_a_complaint(programs):
    programs.play("docker run", (3, "", ""))
    assert ask(["docker", "run"], programs.environ).complaint == "exit code 3"


def test_a_program_that_hangs_is_given_up(tmp_path):
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(stat.S_IRWXU)
    began = time.monotonic()
    answer = ask([str(slow)], os.environ, timeout=0.2)
    assert not answer.ok
    assert "did not answer" in answer.complaint
    assert time.monotonic() - began < 30


def test_a_program_that_cannot_be_run_is_no_traceback(tmp_path):
    (tmp_path / "docker").write_text("this is no program")
    (tmp_path / "docker").chmod(stat.S_IRWXU)
    answer = ask(["docker"], {"PATH": str(tmp_path)})
    assert not answer.ok
    assert not answer.missing


def test_a_socket_without_permission_has_its_own_mend(programs):
    programs.play(
        "docker version",
        (1, "\n", "permission denied while trying to connect to the Docker daemon socket\n"),
    )
    assert "usermod" in checks.docker_engine(programs.environ).mend


@pytest.mark.parametrize("answer", [(0, "null\n", ""), (1, "null\n", "is the daemon running?\n")])
def test_no_known_runtimes_is_a_failure(programs, answer):
    programs.play("docker info", answer)
    assert checks.nvidia_runtime(programs.environ).level == "failure"


def test_the_gpus_are_listed(programs):
    programs.play_gpu((0, "Tesla T4, 15360 MiB, 550.1\nTesla T4, 15360 MiB, 550.1\n", ""))
    check = checks.gpu(programs.environ)
    assert check.ok
    assert check.found == "Tesla T4, 15360 MiB, 550.1; Tesla T4, 15360 MiB, 550.1"


@pytest.mark.parametrize("code", [0, 6])
def test_a_driver_without_devices_is_no_gpu(programs, code):
    programs.play_gpu((code, "No devices were found\n", ""))
    check = checks.gpu(programs.environ)
    assert not check.ok
    assert check.found == "No devices were found"


def test_an_engine_that_fails_while_asked_for_the_name_is_not_a_free_name(programs):
    programs.play("docker inspect", (1, "\n", "Cannot connect to the Docker daemon\n"))
    check = checks.name_free("skincli-runner", programs.environ)
    assert not check.ok
    assert "Cannot connect" in check.found


def test_lenient_softens_failures_only():
    assert checks.Check("a", "failure", "b").lenient().level == "warning"
    assert checks.Check("a", "ok", "b").lenient().level == "ok"


@pytest.mark.skipif(shutil.which("docker") is None, reason="needs a docker client")
def test_a_real_client_that_reaches_no_engine(tmp_path):
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DOCKER_HOST": f"unix://{tmp_path}/none.sock",
    }
    assert checks.docker_client(environ).ok
    assert not checks.docker_engine(environ).ok
    assert not checks.nvidia_runtime(environ).ok
    assert not checks.name_free("skincli-runner", environ).ok
    answer = ask(["docker", "run", "-d", "skincli-no-such-image"], environ)
    assert "--help" not in answer.complaint
    assert "none.sock" in answer.complaint

import os
import shutil
import stat
import time

import pytest

from skincli.errors import SkincliError
from skincli.runner import capacity, checks, complaints, container, image
from skincli.runner.ask import ask

IMAGE = "iterativeai/cml:0-dvc2-base1-gpu"
NAME = "skincli-runner"


def program(folder, script):
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(stat.S_IRWXU)
    return [str(path)]


def test_the_complaint_is_the_last_telling_line(tmp_path):
    (tmp_path / "said").write_text(
        "pulling\ndocker: no space left.\n\nError: failed to start containers: x\n"
        "See 'docker run --help'.\n"
    )
    answer = ask(program(tmp_path, f"cat {tmp_path}/said >&2; exit 1"), os.environ)
    assert answer.complaint == "no space left"


def test_a_silent_failure_still_has_a_complaint(tmp_path):
    assert ask(program(tmp_path, "exit 3"), os.environ).complaint == "exit code 3"


def test_a_program_that_hangs_is_given_up(tmp_path):
    began = time.monotonic()
    answer = ask(program(tmp_path, "exec sleep 60"), os.environ, timeout=0.2)
    assert answer.late
    assert "did not answer" in answer.complaint
    assert time.monotonic() - began < 30


def test_a_program_that_cannot_be_run_is_no_traceback(tmp_path):
    (tmp_path / "docker").write_text("this is no program")
    (tmp_path / "docker").chmod(stat.S_IRWXU)
    answer = ask(["docker"], {"PATH": str(tmp_path)})
    assert not answer.ok
    assert not answer.missing


@pytest.mark.parametrize(
    ("engine", "found", "mend"),
    [("down", "Is the docker daemon running", "systemctl start"), ("denied", "denied", "usermod")],
)
def test_an_engine_that_does_not_answer_has_its_own_mend(docker, engine, found, mend):
    docker.play(engine=engine)
    check = checks.docker_engine(docker.environ)
    assert check.level == "failure"
    assert found in check.found
    assert mend in check.mend


def test_an_engine_that_hangs_is_told_apart(docker, monkeypatch):
    docker.play(engine="hangs")
    monkeypatch.setattr(checks, "_PATIENCE", 0.5)
    check = checks.docker_engine(docker.environ)
    assert "did not answer within 0.5 seconds" in check.found
    assert "restart" in check.mend


def test_the_gpus_are_listed(docker):
    docker.play_driver("Tesla T4, 15360 MiB, 550.1\nTesla T4, 15360 MiB, 550.1")
    check = checks.nvidia_driver(docker.environ)
    assert check.ok
    assert check.found == "Tesla T4, 15360 MiB, 550.1; Tesla T4, 15360 MiB, 550.1"


@pytest.mark.parametrize("code", [0, 6])
def test_a_driver_without_devices_is_no_gpu(docker, code):
    docker.play_driver("No devices were found", code)
    check = checks.nvidia_driver(docker.environ)
    assert not check.ok
    assert check.found == "No devices were found"


def test_a_machine_without_driver_may_do_without(docker):
    docker.remove("nvidia-smi")
    assert "--cpu" in checks.nvidia_driver(docker.environ).mend


def test_the_toolkit_is_tried_in_a_container_that_is_removed(docker):
    docker.play(gpus=2)
    check = image.toolkit(IMAGE, docker.environ)
    assert (check.level, check.found) == ("ok", "a container sees 2 GPUs")
    (call,) = docker.calls("run")
    words = "run --rm --gpus all --entrypoint nvidia-smi"
    assert call["argv"] == [*words.split(), IMAGE, "-L"]
    assert docker.containers == {}


@pytest.mark.parametrize(
    ("toolkit", "found", "mend"),
    [
        ("missing", "could not select device driver", "nvidia-ctk runtime configure"),
        ("broken", "libnvidia-ml.so.1", "reboot"),
    ],
)
def test_each_way_in_which_the_toolkit_fails_has_its_own_mend(docker, toolkit, found, mend):
    docker.play(toolkit=toolkit)
    check = image.toolkit(IMAGE, docker.environ)
    assert check.level == "failure"
    assert found in check.found
    assert mend in check.mend


def test_a_tool_that_counts_nothing_is_taken_at_its_exit_code(docker, monkeypatch):
    docker.play_driver("")
    monkeypatch.setattr(image, "toolkit_command", lambda name: ["nvidia-smi"])
    assert image.toolkit(IMAGE, docker.environ).found == "a container sees its GPUs"


def test_a_container_that_sees_no_gpu_is_a_failure_though_it_ends_well(docker):
    docker.play(gpus=0)
    check = image.toolkit(IMAGE, docker.environ)
    assert (check.level, check.found) == ("failure", "a container sees no GPU")


@pytest.mark.parametrize(
    ("reason", "mend"),
    [
        ("manifest for a/b:c not found: manifest unknown", "no such tag"),
        ("pull access denied for a/b, repository does not exist", "docker login"),
        ("write /var/lib/docker/tmp/x: no space left on device", "docker system prune"),
        ("toomanyrequests: You have reached your unauthenticated pull rate limit", "limits"),
        ("lookup registry-1.docker.io: no such host", "network"),
        ("it broke", "run the same command again"),
    ],
)
def test_a_download_that_fails_says_what_to_do(place, reason, mend):
    place.docker.forget_image()
    place.docker.play(pull=reason)
    check = image.pull(IMAGE, place.environ, place.notes)
    assert (check.level, check.found) == ("failure", f"Error response from daemon: {reason}")
    assert mend in check.mend


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
    with pytest.raises(SkincliError, match=r"none\.sock"):
        container.find(NAME, environ)
    assert capacity.engine_host(environ).memory is None
    assert not image.is_here(IMAGE, environ)
    answer = ask(["docker", "run", "-d", "skincli-no-such-image"], environ)
    assert "none.sock" in answer.complaint
    assert "systemctl start" in complaints.mend(answer.complaint)

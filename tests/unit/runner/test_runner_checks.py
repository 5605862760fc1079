import os
import shutil
import stat
import time
from pathlib import Path

import pytest

from skincli.errors import SkincliError
from skincli.runner import capacity, checks, complaints, container, image
from skincli.runner.ask import ask
from skincli.runner.capacity import EngineHost
from skincli.runner.token import masked, token, without_tokens

IMAGE = "iterativeai/cml:0-dvc2-base1-gpu"
NAME = "skincli-runner"
GB = 10**9


def program(folder, script):
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(stat.S_IRWXU)
    return [str(path)]


def host(memory=128 * GB, root=None, architecture="x86_64"):
    return EngineHost(architecture, root, memory)


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


def test_what_docker_tells_of_its_machine(docker):
    docker.play(info={"DockerRootDir": "/mnt/docker", "MemTotal": 7, "Architecture": "aarch64"})
    assert capacity.engine_host(docker.environ) == EngineHost("aarch64", Path("/mnt/docker"), 7)


@pytest.mark.parametrize("info", [[], {}, None, {"MemTotal": 0, "DockerRootDir": ""}])
def test_a_docker_that_tells_nothing_is_no_failure(docker, info):
    docker.play(info=info)
    found = capacity.engine_host(docker.environ)
    assert (found.root, found.memory) == (None, None)
    assert found.architecture
    assert capacity.disk(found).level == "warning"


def test_shared_memory_must_fit_into_the_memory():
    assert capacity.memory(host(100 * GB), "8g").level == "ok"
    check = capacity.memory(host(7 * GB), "8g")
    assert check.level == "failure"
    assert "7.0 GB, 8.6 GB of it" in check.found
    assert "--shm-size 3g" in check.mend


def test_this_machines_own_memory_is_looked_at_for_what_is_free():
    available, total = capacity.memory_sizes(Path("/proc/meminfo").read_text())
    assert 0 < available < total
    whole = capacity.memory(host(total), f"{total // 1024}k")
    assert whole.level == "warning"
    assert "available of" in whole.found


@pytest.mark.parametrize(
    ("size", "bytes_"), [("8g", 8 << 30), ("512m", 512 << 20), ("3k", 3072), ("9b", 9), ("7", 7)]
)
def test_sizes_are_read_as_docker_reads_them(size, bytes_):
    assert capacity.size_in_bytes(size) == bytes_


@pytest.mark.parametrize(("free", "level"), [(9, "failure"), (39, "warning"), (41, "ok")])
def test_the_disk_of_docker_is_looked_at(tmp_path, monkeypatch, free, level):
    usage = type("Usage", (), {"free": free * GB})
    monkeypatch.setattr(shutil, "disk_usage", lambda path: {tmp_path: usage}[path])
    check = capacity.disk(host(root=tmp_path))
    assert check.level == level
    assert str(tmp_path) in check.found


@pytest.mark.parametrize("value", ["", "two words", "a\nPATH=/tmp", "tökén"])
def test_an_impossible_token_is_a_failure_that_tells_where_cml_looks(value):
    check = token({"REPO_TOKEN": value} if value else {"GITHUB_TOKEN": "x"})
    assert check.level == "failure"
    assert "REPO_TOKEN, repo_token, GITHUB_TOKEN in this order" in check.mend
    assert value == "" or value not in repr(check)


def test_programs_of_this_machine_get_no_token_of_any_name():
    environ = {"REPO_TOKEN": "a", "repo_token": "b", "GITHUB_TOKEN": "c", "PATH": "/bin"}
    assert without_tokens(environ | {"GH_TOKEN": "a"}) == {"PATH": "/bin"}
    assert without_tokens({"REPO_TOKEN": "", "EMPTY": ""}) == {"EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("REPO_TOKEN=secret in", "REPO_TOKEN=*** in"),
        ("a ghp_0123456789abcdefABCD b", "a *** b"),
        ("github_pat_0123456789abcdef_x", "***"),
        ("config.sh --token AREGISTRATION --url u", "config.sh --token *** --url u"),
        (
            "Command failed: config.sh,--token,AREG,--url,u",
            "Command failed: config.sh,--token,***,--url,u",
        ),
        ('"--token=AREG" "--url"', '"--token=***" "--url"'),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_what_looks_like_a_token_is_masked(text, shown):
    assert masked(text, "secret") == shown


def test_without_a_token_nothing_else_is_masked():
    assert masked("plain text", "") == "plain text"


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

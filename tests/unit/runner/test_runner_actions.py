"""The engine `actions`: a real supervisor, with stand-ins for docker and for GitHub."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY as URL
from conftest import TOKEN
from machine import NAME, wait_until

from skincli.errors import Interrupted, SkincliError, UsageError
from skincli.progress import Silent
from skincli.runner import actions
from skincli.runner.volume import host_name


@pytest.fixture
def docker(actions_docker):
    return actions_docker


class Warnings(Silent):
    def __init__(self):
        self.lines = []

    def warn(self, message):
        self.lines.append(message)


def test_every_job_has_a_container_and_a_registration_of_its_own(box, docker, github):
    started = box.start()
    assert (started.runner.online, started.runner.busy) == (True, False)
    assert started.runner.labels == ("self-hosted", "Linux", "X64", "cml-gpu")
    for number in range(3):
        docker.queue(f"job {number}", over=True)
    wait_until(lambda: docker.job("job 2") == "done" and len(box.created()) == 4)
    wait_until(lambda: [runner.online for runner in box.github.runners()] == [True])
    names = box.names()
    assert len(set(names)) == 4
    assert all(name.startswith(f"{NAME}-") for name in names)
    assert len(set(github.configurations)) == len(github.configurations)
    assert box.status().noted.jobs == 3


def test_nothing_secret_is_in_arguments_files_or_the_log(box, docker, github):
    box.start()
    docker.queue("train", over=True)
    wait_until(lambda: docker.job("train") == "done")
    pid = box.files.read().pid
    seen = [Path(f"/proc/{pid}/{name}").read_bytes().decode() for name in ("cmdline", "environ")]
    seen += [path.read_text() for path in box.state.rglob("*") if path.is_file()]
    for call in docker.calls():
        seen.append(" ".join(call["argv"]))
        configuration = call["env"].pop("ACTIONS_RUNNER_INPUT_JITCONFIG", None)
        assert (configuration is None) == (call["argv"][0] != "create")
        seen.append(json.dumps(call["env"]))
    box.stop()
    assert len(seen) > 10
    for secret in (TOKEN, *github.configurations):
        assert all(secret not in text for text in seen)


def test_a_container_is_made_as_documented(box, docker):
    box.config.runner.labels, box.config.runner.shm_size = "gpu,a100", "2g"
    box.start()
    (argv,) = box.created()
    text = " ".join(argv)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    supervisor = f"{boot}:{box.files.read().process}"
    assert text.startswith(
        f"create --rm --init --name {NAME} --hostname {host_name(NAME)} --label skincli=runner "
        f"--label skincli.engine=actions --label skincli.repository={URL} "
        f"--label skincli.runner={box.names()[0]} --label skincli.supervisor={supervisor} "
        "--gpus all --shm-size 2g --stop-timeout 60 "
        "-v skincli-runner:/skincli -e SKINCLI_VOLUME=/skincli"
    )
    assert text.endswith(
        "-e ACTIONS_RUNNER_INPUT_JITCONFIG ghcr.io/actions/actions-runner:latest ./run.sh"
    )
    assert "-e RUNNER_MANUALLY_TRAP_SIG=1" in text
    assert box.status().runner.labels == ("self-hosted", "Linux", "X64", "gpu", "a100")
    pulled, owned = docker.calls("pull")[0], docker.calls("run")[0]
    assert pulled["argv"][-1] == "ghcr.io/actions/actions-runner:latest"
    assert "-v skincli-runner:/skincli --entrypoint find" in " ".join(owned["argv"])


@pytest.mark.parametrize(("machine", "label"), [("aarch64", "ARM64"), ("x86_64", "X64")])
def test_the_label_is_that_of_the_engines_machine(box, docker, machine, label):
    docker.play(info={"Architecture": machine})
    commands = actions.commands(box.config, URL, box.environ)
    assert f'"Linux", "{label}"' in commands[2]


def test_a_machine_that_no_runner_is_made_for(box, docker):
    docker.play(info={"Architecture": "riscv64"})
    with pytest.raises(UsageError, match="riscv64"):
        box.start()
    assert box.created() == []


def test_a_stop_while_idle_leaves_nothing(box, docker):
    box.start()
    assert box.status().running
    assert box.stop()
    assert docker.containers == {}
    assert box.runners == {}
    found = box.status()
    assert (found.running, found.noted, found.container, found.runner) == (False, None, None, None)
    assert not box.stop()


def test_a_stop_during_a_job_cancels_it(box, docker):
    box.start()
    docker.queue("train")
    wait_until(lambda: docker.job("train") == "running")
    wait_until(lambda: box.status().noted.doing == "running the job train")
    assert box.status().runner.busy
    told = Warnings()
    assert box.stop(told)
    assert told.lines == ["the job train is cancelled"]
    assert docker.job("train") == "cancelled"
    (call,) = docker.calls("stop")
    assert call["argv"][2:] == ["60", NAME]
    assert (docker.containers, box.runners) == ({}, {})
    assert "Job train completed with result: Canceled" in box.files.log.read_text()


def test_one_job_and_no_more(box, docker):
    box.config.runner.single = True
    docker.queue("train", over=True)
    docker.queue("more", over=True)
    box.start()
    wait_until(lambda: not box.status().running)
    assert (docker.job("train"), docker.job("more")) == ("done", "queued")
    assert box.status().noted.doing == "ended after one job"
    assert (docker.containers, box.runners) == ({}, {})


def test_a_start_that_does_not_come_to_a_runner_is_taken_back(box, docker, github):
    box.config.runner.start_timeout = 0.5
    github.limited = True
    with pytest.raises(SkincliError, match="not online within"):
        box.start()
    assert not box.status().running


def test_an_interrupted_start_is_taken_back(box, docker):
    class Impatient(Silent):
        def step(self, title, total, unit=""):
            wait_until(lambda: docker.containers)
            raise Interrupted(2)

    with pytest.raises(Interrupted):
        actions.start(box.config, URL, TOKEN, box.environ, Impatient())
    assert not box.status().running
    assert (docker.containers, box.runners) == ({}, {})


def test_the_log_is_the_users_own_and_the_last_one_is_kept(box):
    box.start()
    box.stop()
    box.start()
    assert box.files.folder.stat().st_mode & 0o077 == 0
    wait_until(lambda: "Listening for Jobs" in box.files.log.read_text())
    assert "removed" in box.files.old_log.read_text()
    assert actions.log_path(box.config) == box.files.log


def test_the_supervisor_in_the_foreground_ends_well_by_sigterm(box, docker):
    code = (
        "import os\n"
        "from skincli.config.schema import Config\n"
        "from skincli.progress import Silent\n"
        "from skincli.runner import actions\n"
        "from skincli.runner.actions.detached import handle_signals\n"
        "config = Config()\n"
        f"config.runner.api = {box.config.runner.api!r}\n"
        "handle_signals()\n"
        "token = os.environ.pop('REPO_TOKEN')\n"
        f"print(actions.foreground(config, {URL!r}, token, os.environ, Silent()).doing)\n"
    )
    environ = box.environ | {"REPO_TOKEN": TOKEN}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environ, stdout=-1, text=True
    ) as process:
        wait_until(lambda: docker.containers and box.status().runner is not None)
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[0] == "stopped\n"
    assert process.returncode == 0
    assert (docker.containers, box.runners) == ({}, {})

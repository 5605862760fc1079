"""The engine `actions`: a real supervisor, with stand-ins for docker and for GitHub."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import REPOSITORY as URL
from conftest import TOKEN
from standins.github import Repo

from skincli.config.schema import Config
from skincli.errors import Interrupted, SkincliError, UsageError
from skincli.progress import Silent
from skincli.runner import actions
from skincli.runner.actions import lifecycle
from skincli.runner.actions.state import Noted
from skincli.runner.github import GitHub
from skincli.runner.volume import host_name

REPOSITORY = "anna/lesions"
NAME = "skincli-runner"


@pytest.fixture
def docker(actions_docker):
    return actions_docker


@pytest.fixture
def box(tmp_path, github, docker, monkeypatch):
    """A machine. What is left of its supervisor is ended, so that no process outlives a test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(lifecycle, "_POLL_SECONDS", 0.05)
    config = Config()
    config.runner.engine, config.runner.api, config.runner.repo = "actions", github.url, URL
    environ = docker.environ | {"XDG_STATE_HOME": str(tmp_path / "state"), "OLD_NAME": TOKEN}
    machine = SimpleNamespace(
        config=config,
        environ=environ,
        github=GitHub(github.url, URL, TOKEN),
        runners=github.repositories[REPOSITORY].runners,
        files=lifecycle.Files(NAME),
        state=tmp_path / "state",
    )
    yield machine
    noted = machine.files.read()
    if noted is not None and noted.running:
        os.kill(noted.pid, signal.SIGKILL)


def start(box):
    return actions.start(box.config, URL, TOKEN, box.environ, Silent())


def stop(box, progress=None):
    return actions.stop(box.config, box.environ, box.github, progress or Silent())


def status(box):
    return actions.status(box.config, box.environ, box.github)


class Warnings(Silent):
    def __init__(self):
        self.lines = []

    def warn(self, message):
        self.lines.append(message)


def wait_until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def kill_supervisor(box):
    """As the system does when memory runs out: nothing is cleaned up."""
    pid = box.files.read().pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not box.files.read().running)


def created(docker):
    return [call["argv"] for call in docker.calls("create")]


def names_of(docker):
    """The runners at GitHub that containers were made for, in order."""
    words = [word for argv in created(docker) for word in argv]
    return [word.partition("=")[2] for word in words if word.startswith("skincli.runner=")]


def test_every_job_has_a_container_and_a_registration_of_its_own(box, docker, github):
    started = start(box)
    assert (started.runner.online, started.runner.busy) == (True, False)
    assert started.runner.labels == ("self-hosted", "Linux", "X64", "cml-gpu")
    for number in range(3):
        docker.queue(f"job {number}", over=True)
    wait_until(lambda: docker.job("job 2") == "done" and len(created(docker)) == 4)
    wait_until(lambda: [runner.online for runner in box.github.runners()] == [True])
    names = names_of(docker)
    assert len(set(names)) == 4
    assert all(name.startswith(f"{NAME}-") for name in names)
    assert len(set(github.configurations)) == len(github.configurations)
    assert status(box).noted.jobs == 3


def test_nothing_secret_is_in_arguments_files_or_the_log(box, docker, github):
    start(box)
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
    stop(box)
    assert len(seen) > 10
    for secret in (TOKEN, *github.configurations):
        assert all(secret not in text for text in seen)


def test_a_container_is_made_as_documented(box, docker):
    box.config.runner.labels, box.config.runner.shm_size = "gpu,a100", "2g"
    start(box)
    (argv,) = created(docker)
    text = " ".join(argv)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    supervisor = f"{boot}:{box.files.read().process}"
    assert text.startswith(
        f"create --rm --init --name {NAME} --hostname {host_name(NAME)} --label skincli=runner "
        f"--label skincli.engine=actions --label skincli.repository={URL} "
        f"--label skincli.runner={names_of(docker)[0]} --label skincli.supervisor={supervisor} "
        "--gpus all --shm-size 2g --stop-timeout 60 "
        "-v skincli-runner:/skincli -e SKINCLI_VOLUME=/skincli"
    )
    assert text.endswith(
        "-e ACTIONS_RUNNER_INPUT_JITCONFIG ghcr.io/actions/actions-runner:latest ./run.sh"
    )
    assert "-e RUNNER_MANUALLY_TRAP_SIG=1" in text
    assert status(box).runner.labels == ("self-hosted", "Linux", "X64", "gpu", "a100")
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
        start(box)
    assert created(docker) == []


def test_a_stop_while_idle_leaves_nothing(box, docker):
    start(box)
    assert status(box).running
    assert stop(box)
    assert docker.containers == {}
    assert box.runners == {}
    found = status(box)
    assert (found.running, found.noted, found.container, found.runner) == (False, None, None, None)
    assert not stop(box)


def test_a_stop_during_a_job_cancels_it(box, docker):
    start(box)
    docker.queue("train")
    wait_until(lambda: docker.job("train") == "running")
    wait_until(lambda: status(box).noted.doing == "running the job train")
    assert status(box).runner.busy
    told = Warnings()
    assert stop(box, told)
    assert told.lines == ["the job train is cancelled"]
    assert docker.job("train") == "cancelled"
    (call,) = docker.calls("stop")
    assert call["argv"][2:] == ["60", NAME]
    assert (docker.containers, box.runners) == ({}, {})
    assert "Job train completed with result: Canceled" in box.files.log.read_text()


def test_a_supervisor_that_was_killed_leaves_its_job_alone(box, docker):
    start(box)
    docker.queue("train")
    wait_until(lambda: status(box).noted.doing == "running the job train")
    kill_supervisor(box)
    found = status(box)
    assert (found.running, found.container.status, found.runner.busy) == (False, "running", True)
    assert found.noted.doing == "killed while running the job train"
    again = start(box)
    assert again.runner.busy
    assert docker.calls("stop") == []
    docker.finish("train")
    wait_until(lambda: docker.job("train") == "done")
    wait_until(
        lambda: len(created(docker)) == 2 and [r.busy for r in box.runners.values()] == [False]
    )


def test_an_idle_container_of_a_killed_supervisor_is_replaced(box, docker):
    start(box)
    first = names_of(docker)[0]
    kill_supervisor(box)
    start(box)
    first_again, second = names_of(docker)
    assert first_again == first != second
    assert [runner.name for runner in box.runners.values()] == [second]


def test_a_container_that_docker_is_still_removing_is_waited_for(box, docker):
    docker.play(lingers=6)
    start(box)
    kill_supervisor(box)
    assert stop(box)
    assert (docker.containers, box.runners) == ({}, {})
    assert docker.calls("rm")


def test_a_stop_ends_what_a_killed_supervisor_left(box, docker):
    start(box)
    kill_supervisor(box)
    assert stop(box)
    assert (docker.containers, box.runners) == ({}, {})


def test_what_a_runner_of_another_repository_left_stays_noted(box, github):
    github.repositories["lab/other"] = Repo()
    box.files.make()
    box.files.write(Noted("1:1", "https://github.com/lab/other", registered=("box-1",)))
    namesake = github.register(REPOSITORY, "box-1", ["self-hosted"])
    assert not stop(box)
    assert status(box).noted.registered == ("box-1",)
    assert list(box.runners) == [namesake.id]


def test_a_container_of_somebody_else_is_not_said_to_be_stopped(box, docker):
    docker.add(NAME)
    assert not stop(box)
    assert docker.containers[NAME]["status"] == "running"


def test_a_container_that_was_made_and_never_started_is_no_hindrance(box, docker):
    docker.add(NAME, status="created", engine="actions", runner=f"{NAME}-000000")
    start(box)
    assert [call["argv"] for call in docker.calls("rm")] == [["rm", NAME]]
    assert status(box).runner.online


@pytest.mark.parametrize("labels", [{"engine": "cml"}, {}])
def test_a_container_that_this_engine_did_not_make_is_left_alone(box, docker, labels):
    docker.add(NAME, **labels)
    with pytest.raises(SkincliError, match="did not make"):
        start(box)
    assert docker.containers[NAME]["status"] == "running"
    assert docker.calls("stop") + docker.calls("rm") == []
    assert box.runners == {}


def test_two_supervisors_of_one_name_are_one_too_many(box, docker):
    start(box)
    with pytest.raises(UsageError, match="already"):
        start(box)
    with pytest.raises(UsageError, match="already"):
        actions.foreground(box.config, URL, TOKEN, box.environ, Silent())
    assert len(created(docker)) == 1


def test_another_process_of_that_number_is_not_taken_for_the_supervisor(box, docker):
    start(box)
    kill_supervisor(box)
    noted = json.loads((box.files.folder / f"{NAME}.json").read_text())
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        noted["process"] = f"{other.pid}:1"
        (box.files.folder / f"{NAME}.json").write_text(json.dumps(noted))
        assert not status(box).running
        assert stop(box)
        assert other.poll() is None
        other.kill()


def test_one_job_and_no_more(box, docker):
    box.config.runner.single = True
    docker.queue("train", over=True)
    docker.queue("more", over=True)
    start(box)
    wait_until(lambda: not status(box).running)
    assert (docker.job("train"), docker.job("more")) == ("done", "queued")
    assert status(box).noted.doing == "ended after one job"
    assert (docker.containers, box.runners) == ({}, {})


def test_a_start_that_does_not_come_to_a_runner_is_taken_back(box, docker, github):
    box.config.runner.start_timeout = 0.5
    github.limited = True
    with pytest.raises(SkincliError, match="not online within"):
        start(box)
    assert not status(box).running


def test_an_interrupted_start_is_taken_back(box, docker):
    class Impatient(Silent):
        def step(self, title, total, unit=""):
            wait_until(lambda: docker.containers)
            raise Interrupted(2)

    with pytest.raises(Interrupted):
        actions.start(box.config, URL, TOKEN, box.environ, Impatient())
    assert not status(box).running
    assert (docker.containers, box.runners) == ({}, {})


def test_the_log_is_the_users_own_and_the_last_one_is_kept(box):
    start(box)
    stop(box)
    start(box)
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
        wait_until(lambda: docker.containers and status(box).runner is not None)
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[0] == "stopped\n"
    assert process.returncode == 0
    assert (docker.containers, box.runners) == ({}, {})

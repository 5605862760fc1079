"""Docker's own client understands what it is told, and reads our templates as they are meant."""

import os
import shutil
from pathlib import Path

import pytest
from services import require
from standins.docker_engine import IDENTITY, DockerEngine

from skincli.config.automation import RunnerConfig
from skincli.config.schema import Config
from skincli.runner import capacity, checks, container, image, launch
from skincli.runner.ask import ask
from skincli.runner.labels import Labels
from skincli.runner.volume import host_name

NAME = "skincli-runner"
URL = "https://github.com/anna/lesions"


@pytest.fixture
def engine(tmp_path, monkeypatch):
    require(shutil.which("docker"), "a docker client")
    with DockerEngine(tmp_path / "docker.sock") as engine:
        engine.environ |= {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        yield engine


@pytest.fixture
def created(engine):
    """What the engine is asked to make of a runner's settings."""

    def create(**settings):
        command = launch.start_command(Config(runner=RunnerConfig(**settings)), URL, {})
        answer = ask(command, engine.environ | {"REPO_TOKEN": "secret"})
        assert (answer.code, answer.out) == (0, f"{IDENTITY}\n"), answer.err
        return engine.created

    return create


def test_a_start_asks_for_what_is_meant(engine, created):
    asked = created()
    host = asked["HostConfig"]
    assert asked["Image"] == "iterativeai/cml:0-dvc2-base1-gpu"
    assert asked["Hostname"] == host_name(NAME)
    assert Labels.of(asked["Labels"]) == Labels(ours=True, engine="cml", repository=URL)
    told = {"REPO_TOKEN=secret", "_CML_RUNNER_SENSITIVE_ENV=REPO_TOKEN", "SKINCLI_VOLUME=/skincli"}
    assert told <= set(asked["Env"])
    assert asked["StopTimeout"] == 60
    assert asked["Cmd"][:4] == ["runner", "launch", "--driver", "github"]
    assert asked["Cmd"][4:] == ["--repo", URL, "--labels", "cml-gpu", "--idle-timeout", "0"]
    assert asked["Entrypoint"] is None
    assert (host["Init"], host["ShmSize"], host["AutoRemove"]) == (True, 8 << 30, False)
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"] == {"Type": "local", "Config": {}}
    assert host["Binds"] == [f"{NAME}:/skincli"]
    (gpus,) = host["DeviceRequests"]
    assert (gpus["Count"], gpus["Capabilities"]) == (-1, [["gpu"]])
    paths = {path: query for _, path, query in engine.asked}
    assert paths["/containers/create"]["name"] == [NAME]
    assert f"/containers/{IDENTITY}/start" in paths


def test_without_gpu_and_with_an_end_it_asks_for_less(created):
    host = created(gpu=False, idle_timeout="3min", shm_size="512m")["HostConfig"]
    assert not host["DeviceRequests"]
    assert host["RestartPolicy"]["Name"] == "no"
    assert host["ShmSize"] == 512 << 20


def test_the_try_of_the_toolkit_runs_nothing_but_the_list_of_gpus(engine):
    ask([*image.toolkit_command("here:1")], engine.environ, timeout=2.0)
    asked = engine.created
    assert (asked["Entrypoint"], asked["Cmd"]) == (["nvidia-smi"], ["-L"])
    assert asked["HostConfig"]["AutoRemove"]
    assert asked["HostConfig"]["DeviceRequests"][0]["Count"] == -1


def test_every_size_that_is_allowed_means_the_same_to_docker(created):
    for size in ("1g", "64m", "2048k", "9000000b", "9000000"):
        assert created(shm_size=size)["HostConfig"]["ShmSize"] == capacity.size_in_bytes(size)


@pytest.mark.parametrize(
    ("told", "labels"),
    [
        ({"skincli": "runner", "skincli.engine": "cml"}, Labels(ours=True, engine="cml")),
        ({"a": "b"}, Labels(ours=False)),
        (None, Labels(ours=False)),
    ],
)
def test_the_state_of_a_container_is_read(engine, told, labels):
    engine.labels = told
    found = container.find(NAME, engine.environ)
    assert found == container.Container(NAME, IDENTITY, "running", 3, 2, labels)


def test_no_container_is_none(engine):
    assert container.find("other", engine.environ) is None


def test_the_registration_is_copied_out_of_the_container(engine):
    engine.status = "exited"
    found = container.registration(NAME, engine.environ)
    assert found == container.Registration(12, "cml-0123456789")
    assert container.registration("other", engine.environ) is None


def test_the_engines_machine_is_told(engine):
    assert checks.docker_engine(engine.environ).found == "version 28.2.2"
    assert capacity.engine_host(engine.environ) == capacity.EngineHost(
        "aarch64", Path("/var/lib/docker"), 99
    )


def test_whether_an_image_is_here(engine):
    assert image.is_here("here:1", engine.environ)
    assert not image.is_here("elsewhere:1", engine.environ)


def test_a_stop_gives_its_time_and_a_removal_removes(engine):
    container.stop(NAME, engine.environ)
    container.remove(NAME, engine.environ)
    stop, remove = engine.asked
    assert (stop[1], stop[2]["t"]) == (f"/containers/{NAME}/stop", ["60"])
    assert remove[:2] == ("DELETE", f"/containers/{NAME}")

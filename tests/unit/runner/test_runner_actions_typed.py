"""The commands of the engine `actions`: typed by hand, and before a real client of docker's."""

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import REPOSITORY as URL
from conftest import TOKEN
from machine import REPOSITORY
from services import require
from standins.server import StandIn

from skincli.config.schema import Config
from skincli.runner import actions
from skincli.runner.actions.setting import SECRET_VARIABLE, create_command, setting_of


@pytest.fixture
def docker(actions_docker):
    return actions_docker


def runners(github):
    return github.repositories[REPOSITORY].runners


def pulls(docker):
    return len(docker.calls("pull"))


def test_the_commands_shown_do_what_a_turn_does(docker, github, tmp_path):
    require(shutil.which("curl"), "curl")
    config = Config()
    config.runner.api = github.url
    lines = actions.commands(config, URL, docker.environ)
    assert TOKEN not in "".join(lines)
    docker.queue("train", over=True)
    environ = docker.environ | {"REPO_TOKEN": TOKEN}
    environ["PATH"] += ":/usr/bin:/bin"
    subprocess.run(["/bin/sh", "-ec", "\n".join(lines)], env=environ, check=True, cwd=tmp_path)
    assert docker.job("train") == "done"
    assert runners(github) == {}
    setting = setting_of(config, URL, docker.environ)
    (made,) = docker.calls("create")
    label = next(word for word in made["argv"] if word.startswith("skincli.runner="))
    assert ["docker", *made["argv"]] == create_command(setting, label.partition("=")[2])
    assert list(Path(tmp_path).glob("*.env")) == []


class _Engine(StandIn):
    """As much of docker's engine as `docker create` asks."""

    def __init__(self):
        super().__init__()
        self.bodies = []

    def answer(self, asked, handler):
        if asked.method == "POST":
            self.bodies.append(handler.body.decode())
            handler.reply(201, b'{"Id": "abc", "Warnings": []}', "application/json")
        else:
            handler.reply(200, b"OK", Api_Version="1.45")


def test_the_real_docker_client_takes_the_command_and_the_secret_from_its_environment(docker):
    client = shutil.which("docker")
    require(client, "the docker client")
    setting = setting_of(Config(), URL, docker.environ)
    with _Engine() as engine:
        environ = {"DOCKER_HOST": engine.url.replace("http", "tcp"), SECRET_VARIABLE: "SECRET"}
        command = [client, *create_command(setting, "box-1")[1:]]
        done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
    assert done.stdout == "abc\n"
    (body,) = engine.bodies
    assert f'"{SECRET_VARIABLE}=SECRET"' in body
    assert '"AutoRemove":true' in body
    assert '"Binds":["skincli-runner:/skincli"]' in body
    assert '"ShmSize":8589934592' in body
    assert '"Cmd":["./run.sh"]' in body

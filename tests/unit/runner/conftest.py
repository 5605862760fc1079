"""A docker and a GitHub that stand in for the real ones, and a folder to work in."""

import json
from functools import partial

import pytest
from machine import NAME, Box, Told
from standins.actions_docker import ActionsDocker
from standins.docker import DockerStandIn
from standins.github import NEWEST_RUNNER, GitHubStandIn, Repo, Token

from skincli.config.automation import RunnerConfig
from skincli.config.operating import TrackingConfig
from skincli.config.schema import Config
from skincli.patience import Patience
from skincli.progress import Silent
from skincli.runner import registered
from skincli.runner.actions import supervisor, turn
from skincli.runner.actions.setting import setting_of
from skincli.runner.actions.state import Files
from skincli.runner.actions.supervisor import Supervisor
from skincli.runner.github import GitHub
from skincli.runner.set_up import set_up_runner

TOKEN = "ghp_0123456789abcdefghijTOKEN"
REPOSITORY = "https://github.com/anna/lesions"
QUICK = Patience(first=0.01, longest=0.02, longest_asked=0.02)


class Notes(Silent):
    def __init__(self):
        self.lines = []

    def note(self, message):
        self.lines.append(message)

    def warn(self, message):
        self.lines.append(f"warning: {message}")

    def panel(self, title, rows):
        self.lines += [title, *(value for _, value in rows)]


class Place:
    """What the tests of the runner's verbs use: `docker`, `github`, `notes`, and a config."""

    repository = REPOSITORY
    token = TOKEN

    def __init__(self, docker, github):
        self.docker = docker
        self.github = github
        self.notes = Notes()

    @property
    def repo(self):
        return self.github.repositories["anna/lesions"]

    @property
    def runners(self):
        return list(self.repo.runners.values())

    @property
    def environ(self):
        return self.docker.environ | {"REPO_TOKEN": TOKEN}

    def config(self, uri=None, **settings):
        at = {"repo": REPOSITORY, "api": self.github.url, "start_timeout": 30.0}
        tracking = TrackingConfig() if uri is None else TrackingConfig(uri=uri)
        return Config(runner=RunnerConfig(**at | settings), tracking=tracking)

    def ghost(self, name, labels=("self-hosted", "cml-gpu"), status="offline"):
        made = self.github.register("anna/lesions", name, list(labels))
        made.status = status
        return made

    def assert_token_stayed_secret(self, *shown):
        for call in self.docker.calls():
            assert TOKEN not in " ".join(call["argv"])
            if call["argv"][:2] == ["run", "-d"]:  # CML's container takes it from this one
                del call["env"]["REPO_TOKEN"]
            assert TOKEN not in json.dumps(call["env"])
        for text in (*shown, *self.notes.lines):
            assert TOKEN not in text


@pytest.fixture
def docker(tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    return DockerStandIn(folder)


@pytest.fixture
def github(monkeypatch):
    repositories = {"anna/lesions": Repo()}
    tokens = {TOKEN: Token(scopes="repo, workflow"), "weak": Token(rights="read", scopes="repo")}
    with GitHubStandIn(repositories, tokens) as github:
        monkeypatch.setattr(registered, "NEWEST_RUNNER", github.url + NEWEST_RUNNER)
        yield github


@pytest.fixture
def place(docker, github):
    docker.play(github=github.url)
    return Place(docker, github)


@pytest.fixture
def up(place):
    """A runner that was set up."""
    set_up_runner(place.config(), place.notes, place.environ)
    return place


@pytest.fixture
def actions_docker(tmp_path, github):
    """A docker whose containers of GitHub's own image take jobs."""
    folder = tmp_path / "programs"
    folder.mkdir()
    docker = ActionsDocker(folder, github.url)
    yield docker
    docker.close()


@pytest.fixture
def box(tmp_path, github, actions_docker, monkeypatch):
    """A machine whose supervisor is a real process."""
    monkeypatch.setattr("skincli.runner.actions.lifecycle._POLL_SECONDS", 0.05)
    machine = Box(actions_docker, github, TOKEN, tmp_path / "state")
    yield machine
    machine.close()


@pytest.fixture
def files(monkeypatch):
    """The files of the one runner, whose supervisor waits for nothing long."""
    monkeypatch.setattr(turn, "_BETWEEN_LOOKS", 0.01)
    for name in ("_GITHUB_PATIENCE", "_FAILURE_PATIENCE", "DOCKER_PATIENCE"):
        monkeypatch.setattr(supervisor, name, QUICK)
    return Files(NAME)


@pytest.fixture
def keep_going(files, actions_docker, github):
    """Run the supervisor for one job, in this process. Returns what it told."""

    def run(notes=None):
        config = Config()
        config.runner.api, config.runner.single = github.url, True
        setting = setting_of(config, REPOSITORY, actions_docker.environ)
        at_github = GitHub(github.url, REPOSITORY, TOKEN, QUICK)
        told = notes or Told()
        Supervisor(setting, at_github, actions_docker.environ, told).run()
        return told.lines

    return run


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    here = tmp_path / "work"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    # No certificate is looked at here, and to read all of them takes a tenth of a second each time.
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.setattr("skincli.runner.waiting._POLL_SECONDS", 0.01)
    at_once = partial(GitHub, patience=Patience(first=0.01, longest=0.01))
    monkeypatch.setattr("skincli.runner.access.GitHub", at_once)

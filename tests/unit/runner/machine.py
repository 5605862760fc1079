"""A machine with a supervisor of the engine actions: its verbs, and what came of them."""

import os
import signal
import time

from skincli.config.schema import Config
from skincli.progress import Silent
from skincli.runner import actions
from skincli.runner.actions.state import Files
from skincli.runner.github import GitHub

NAME = "skincli-runner"
REPOSITORY = "anna/lesions"
URL = f"https://github.com/{REPOSITORY}"


def wait_until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


class Told(Silent):
    """What was told, and what is to happen when it is."""

    def __init__(self):
        self.lines = []
        self.then = lambda _: None

    def note(self, message):
        self.lines.append(message)
        self.then(message)

    def warn(self, message):
        self.note(message)


class Box:
    """`runners` are those at GitHub, `files` what the supervisor notes in the folder `state`."""

    def __init__(self, docker, github, token, state):
        self.config = Config()
        runner = self.config.runner
        runner.engine, runner.api, runner.repo = "actions", github.url, URL
        self.docker, self.token, self.state = docker, token, state
        self.environ = docker.environ | {"XDG_STATE_HOME": str(state), "OLD_NAME": token}
        self.github = GitHub(github.url, URL, token)
        self.runners = github.repositories[REPOSITORY].runners
        self.files = Files(NAME)

    def start(self):
        return actions.start(self.config, URL, self.token, self.environ, Silent())

    def stop(self, progress=None):
        return actions.stop(self.config, self.environ, self.github, progress or Silent())

    def status(self):
        return actions.status(self.config, self.environ, self.github)

    def kill_supervisor(self):
        """As the system does when memory runs out: nothing is cleaned up."""
        os.kill(self.files.read().pid, signal.SIGKILL)
        wait_until(lambda: not self.files.read().running)

    def created(self):
        return [call["argv"] for call in self.docker.calls("create")]

    def names(self):
        """The runners at GitHub that containers were made for, in order."""
        words = [word for argv in self.created() for word in argv]
        return [word.partition("=")[2] for word in words if word.startswith("skincli.runner=")]

    def close(self):
        """No process outlives a test."""
        noted = self.files.read()
        if noted is not None and noted.running:
            os.kill(noted.pid, signal.SIGKILL)

"""One container from its making to its end, and what became of it."""

import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from skincli.errors import SkincliError
from skincli.patience import Patience
from skincli.runner import container
from skincli.runner.actions.setting import (
    SECRET_VARIABLE,
    Setting,
    create_command,
    start_command,
)
from skincli.runner.ask import ask
from skincli.runner.checks import Environ
from skincli.runner.complaints import failure
from skincli.runner.labels import own_supervisor
from skincli.runner.token import masked

DOCKER_PATIENCE: Final = Patience(first=2.0, longest=60.0)
_CREATE_SECONDS: Final = 1800.0  # an image that is gone is fetched once more
# What the runner prints: src/Runner.Listener/JobDispatcher.cs.
_JOB: Final = ": Running job: "
_JOB_OVER: Final = " completed with result: "
_KEPT: Final = 15
_BETWEEN_LOOKS: Final = 1.0
_CLIENT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Ended:
    """`job`: whether it took one, `done`: whether it told of its end. `code`: of `run.sh`, or
    docker's own. `lines`: its last ones."""

    job: bool
    done: bool
    code: int
    seconds: float
    lines: tuple[str, ...]


class Turn:
    """A container of ours. `tell` gets each line that it prints, `began` the name of its job."""

    def __init__(
        self,
        setting: Setting,
        environ: Environ,
        tell: Callable[[str], None],
        began: Callable[[str], None],
    ) -> None:
        self._setting = setting
        self._environ = environ
        self._tell = tell
        self._began = began
        self._lines: deque[str] = deque(maxlen=_KEPT)
        self._job = False
        self._done = False

    def create(self, runner: str, encoded: str) -> None:
        """Make the container of a runner. Raises SkincliError with docker's reason."""
        environ = {**self._environ, SECRET_VARIABLE: encoded}
        command = create_command(self._setting, runner, own_supervisor())
        answer = ask(command, environ, _CREATE_SECONDS)
        if not answer.ok:
            raise failure("make the runner's container", answer, encoded)

    def run(self) -> Ended:
        """Start it and wait until it has ended."""
        return self._see_through(start_command(self._setting))

    def adopt(self, job: str) -> Ended:
        """Wait for the end of one that runs a job already."""
        self._job = True
        self._began(job)
        return self._see_through(self._attach())

    def _see_through(self, command: list[str]) -> Ended:
        began = time.monotonic()
        code = self._follow(command)
        while self._still_runs():
            time.sleep(_BETWEEN_LOOKS)
            self._job = self._job or bool(job_of(self._setting.name, self._environ))
            code = self._follow(self._attach())
        seconds = time.monotonic() - began
        return Ended(self._job, self._done, code, seconds, tuple(self._lines))

    def _follow(self, command: list[str]) -> int:
        """Hand on what docker shows. Ctrl-C does not reach it, which would hand it on in turn."""
        with subprocess.Popen(
            command,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            assert process.stdout is not None, "it was asked for"
            try:
                self._hear_all(process.stdout)
            except BaseException:
                with suppress(SkincliError):  # whoever clears away tells of it
                    self._end(process)
                self._hear_all(process.stdout)
                raise
        return process.returncode

    def _end(self, client: subprocess.Popen[str]) -> None:
        """Stop the container: docker's client shows its last words, and ends with it."""
        try:
            for _ in range(2):  # the client may not have started it yet
                container.stop(self._setting.name, self._environ)
                with suppress(subprocess.TimeoutExpired):
                    client.wait(_CLIENT_SECONDS)
                    return
        finally:
            client.kill()

    def _hear_all(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._hear(line)

    def _hear(self, line: str) -> None:
        text = masked(line.rstrip(), "")
        if not text:
            return
        self._lines.append(text)
        self._tell(text)
        if _JOB in text:
            self._job = True
            self._began(text.partition(_JOB)[2])
        self._done = self._done or _JOB_OVER in text

    def _still_runs(self) -> bool:
        """Docker's client ends early where its engine is restarted."""
        failures = 0
        while True:
            try:
                found = container.find(self._setting.name, self._environ)
                return found is not None and found.running
            except SkincliError as error:
                failures += 1
                self._tell(error.message)
                time.sleep(DOCKER_PATIENCE.seconds(failures))

    def _attach(self) -> list[str]:
        return ["docker", "attach", "--no-stdin", "--sig-proxy=false", self._setting.name]


def job_of(name: str, environ: Environ) -> str:
    """The job that the runner in a container has taken; empty where it has none."""
    lines = container.last_lines(name, environ, _KEPT)
    return next((line.partition(_JOB)[2] for line in lines if _JOB in line), "")

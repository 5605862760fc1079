"""A runner of this engine from its start to its end."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from skincli.config.schema import Config
from skincli.errors import Interrupted, SkincliError, UsageError
from skincli.progress import Progress
from skincli.runner import container
from skincli.runner.actions.detached import spawn
from skincli.runner.actions.ending import end_container
from skincli.runner.actions.ghosts import remove_ghosts
from skincli.runner.actions.preparing import prepare
from skincli.runner.actions.setting import setting_of
from skincli.runner.actions.state import Files, Noted
from skincli.runner.actions.supervisor import Supervisor
from skincli.runner.actions.turn import job_of
from skincli.runner.checks import Environ
from skincli.runner.container import Container
from skincli.runner.github import GitHub, GitHubError, Runner
from skincli.runner.repository import is_same_repository
from skincli.tracking.locking import exclusively

_POLL_SECONDS: Final = 2.0
# The supervisor has a container to stop, and GitHub to tell of it.
_STOP_SECONDS: Final = container.STOP_SECONDS + 90.0


@dataclass(frozen=True, slots=True)
class Started:
    """`runner` is None where it was gone again before it was seen: its job was that short."""

    pid: int
    runner: Runner | None
    log: str


@dataclass(frozen=True, slots=True)
class ActionsStatus:
    """`noted` is None where none was ever started here, `runner` where GitHub lists none.

    `unknown` says why GitHub was not asked; it is empty where it was.
    """

    running: bool
    noted: Noted | None
    container: Container | None
    runner: Runner | None
    unknown: str
    log: str


def start(config: Config, url: str, token: str, environ: Environ, progress: Progress) -> Started:
    """Start the supervisor in the background and wait until its first runner is online.

    Raises UsageError where one has the name already, SkincliError when it gives up or is not
    online in `runner.start_timeout` seconds: then it is stopped, as after Ctrl-C.
    """
    bare = _without(environ, token)
    setting = setting_of(config, url, bare)
    files = Files(setting.name)
    files.make()
    busy = f"another command is starting the runner `{setting.name}`"
    with exclusively(files.start_lock, busy, "`skincli runner-setup --status` follows it"):
        _require_none(files, setting.name)
        prepare(setting, bare, progress)
        process = spawn(setting, token, bare)
        github = GitHub(setting.api, url, token)
        try:
            runner = _first_runner(process, files, github, config.runner.start_timeout, progress)
        except BaseException:
            _end(process.pid, lambda: process.poll() is None)
            raise
    return Started(process.pid, runner, str(files.log))


def foreground(
    config: Config, url: str, token: str, environ: Environ, progress: Progress
) -> Noted | None:
    """Be the supervisor, until SIGTERM or Ctrl-C, which both end it well; returns what it noted.

    Raises UsageError where one has the name already, SkincliError when it gives up.
    """
    bare = _without(environ, token)
    setting = setting_of(config, url, bare)
    files = Files(setting.name)
    _require_none(files, setting.name)
    if files.log.exists():  # nobody adds to it
        files.log.replace(files.old_log)
    prepare(setting, bare, progress)
    with suppress(Interrupted):
        Supervisor(setting, GitHub(setting.api, url, token), bare, progress).run()
    return files.read()


def status(config: Config, environ: Environ, github: GitHub | None) -> ActionsStatus:
    """The supervisor, its container, GitHub's view. Raises SkincliError where docker fails."""
    files = Files(config.runner.name)
    noted, found = files.read(), container.find(config.runner.name, environ)
    runner, unknown = None, "" if github else "GitHub was not asked"
    name = noted.runner if noted is not None else found.labels.runner if found is not None else ""
    if github is not None and name:
        try:
            runner = _listed(github, name)
        except GitHubError as error:
            unknown = error.message
    running = noted is not None and noted.running
    if noted is not None and not (running or noted.over):
        noted = replace(noted, doing=f"killed while {noted.doing}")
    return ActionsStatus(running, noted, found, runner, unknown, str(files.log))


def stop(config: Config, environ: Environ, github: GitHub | None, progress: Progress) -> bool:
    """End the supervisor, which stops its container; False where nothing was left to end.

    A job that runs is cancelled, and named. One that another supervisor keeps going is left to it.
    What a supervisor that was killed has left is ended too, at GitHub only with `github`; what
    GitHub may still list stays noted. Raises SkincliError where docker fails.
    """
    name = config.runner.name
    files = Files(name)
    noted, found = files.read(), container.find(name, environ)
    running = noted is not None and noted.running
    mine = found is not None and found.labels.engine == "actions"
    job = job_of(name, environ) if found is not None and mine and found.running else ""
    if job:
        progress.warn(f"the job {job} is cancelled")
    if noted is not None and running:
        progress.note(f"stopping, which takes up to {container.STOP_SECONDS} seconds")
        _end(noted.pid, lambda: noted.running)
    end_container(name, environ)
    if _forgotten(files.read(), github, progress):
        files.forget()
    return running or mine


def _forgotten(left: Noted | None, github: GitHub | None, progress: Progress) -> bool:
    """Whether GitHub lists no runner of this machine any more."""
    if left is None or not left.registered:
        return True
    if github is None or not is_same_repository(github.url, left.repository):
        return False
    try:
        return not remove_ghosts(github, left.registered, progress)
    except GitHubError as error:
        progress.warn(error.message)
        return False


def log_path(config: Config) -> Path:
    """The supervisor's log, which holds what its containers printed."""
    return Files(config.runner.name).log


def _without(environ: Environ, token: str) -> dict[str, str]:
    """The environment for docker and the supervisor, under whatever names it held the token."""
    return {name: value for name, value in environ.items() if value != token}


def _require_none(files: Files, name: str) -> None:
    noted = files.read()
    if noted is not None and noted.running:
        raise UsageError(
            f"the runner `{name}` is kept going already (pid {noted.pid})",
            "`skincli runner-setup --status` tells of it, `--stop` ends it",
        )


def _first_runner(
    process: subprocess.Popen[bytes],
    files: Files,
    github: GitHub,
    seconds: float,
    progress: Progress,
) -> Runner | None:
    deadline = time.monotonic() + seconds
    trouble = ""
    with progress.step("waiting until the first runner is online", 0):
        while time.monotonic() < deadline:
            noted = files.read()
            told = noted if noted is not None and noted.pid == process.pid else None
            if told is not None and told.jobs:
                return None
            if process.poll() is not None:
                raise SkincliError(
                    f"the runner ended at once: {_last_line(files)}", f"see `{files.log}`"
                )
            if told is not None and told.runner:
                try:
                    runner = _listed(github, told.runner)
                    if runner is not None and runner.online:
                        return runner
                    trouble = ""
                except GitHubError as error:
                    trouble = f" ({error.message})"
            time.sleep(_POLL_SECONDS)
    raise SkincliError(
        f"the runner was not online within {seconds:g} seconds{trouble}",
        f"see `{files.log}`; a slow network needs a larger runner.start_timeout",
    )


def _listed(github: GitHub, name: str) -> Runner | None:
    return next((each for each in github.runners() if each.name == name), None)


def _end(pid: int, lives: Callable[[], bool]) -> None:
    """SIGTERM, and SIGKILL to one that does not end by it."""
    deadline = time.monotonic() + _STOP_SECONDS
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        while lives() and time.monotonic() < deadline:
            time.sleep(0.1)
        if lives():
            os.kill(pid, signal.SIGKILL)
            while lives():  # what it left is told from what it keeps going
                time.sleep(0.1)


def _last_line(files: Files) -> str:
    lines = files.log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "its log is empty"

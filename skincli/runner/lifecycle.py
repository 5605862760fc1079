"""A runner that was set up: its state, its end, its start again, its log, a shell in it."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from skincli.config.schema import Config
from skincli.errors import SkincliError
from skincli.progress import Progress
from skincli.runner import container, replacing
from skincli.runner.access import find_access
from skincli.runner.ask import ask
from skincli.runner.checks import Environ
from skincli.runner.complaints import failure
from skincli.runner.container import Container
from skincli.runner.github import GitHubError, Runner
from skincli.runner.token import TOKEN_VARIABLE, masked, without_tokens
from skincli.runner.waiting import NotListed, found_at, wait_until_registered


@dataclass(frozen=True, slots=True)
class RunnerStatus:
    """`container` is None where there is none, `runners` what GitHub lists of it.

    `unknown` says why GitHub was not asked; it is empty where it was.
    """

    container: Container | None
    runners: tuple[Runner, ...]
    unknown: str = ""

    @property
    def running(self) -> bool:
        return self.container is not None and self.container.running


@dataclass(frozen=True, slots=True)
class Stopped:
    """`stopped` is False where nothing ran. `unregistered` is None where that is not known, and
    `left` then says how to look."""

    stopped: bool
    unregistered: bool | None
    left: str = ""


def status(config: Config, environ: Environ) -> RunnerStatus:
    """The container, and what GitHub says of its runner. Raises SkincliError where docker fails."""
    access, runner = find_access(config, environ), config.runner
    found = container.find(runner.name, access.environ)
    if found is None or access.github is None:
        return RunnerStatus(found, (), access.lacks)
    try:
        return RunnerStatus(found, found_at(access.github.runners(), runner, access))
    except GitHubError as error:
        return RunnerStatus(found, (), error.message)


def stop(config: Config, environ: Environ, progress: Progress) -> Stopped:
    """Stop the runner, which then unregisters, and see to it that GitHub lists it no more.

    Raises UsageError where there is no such container, SkincliError where docker fails.
    """
    access, name = find_access(config, environ), config.runner.name
    found = container.ours(name, access.environ)
    number = replacing.end(name, access, progress)
    stopped = found.status not in ("exited", "created", "dead")
    if access.github is None:
        left = f"GitHub was not asked whether it is gone ({access.lacks}); with {TOKEN_VARIABLE} "
        return Stopped(stopped, None, f"{left}`--stop` again removes what was left behind")
    if number is None:
        left = "the container does not tell what it registered as; `--replace` removes ghosts"
        return Stopped(stopped, None, left)
    try:
        listed = any(each.id == number for each in access.github.runners())
    except GitHubError as error:
        return Stopped(stopped, None, f"GitHub was not asked whether it is gone: {error.message}")
    if not listed or replacing.forget(access.github, number, progress):
        return Stopped(stopped, True)
    return Stopped(stopped, False, "cancel its job at GitHub, then `--stop` again")


def start(config: Config, environ: Environ, progress: Progress) -> RunnerStatus:
    """Start the stopped container again and wait until GitHub lists its runner.

    Raises UsageError where there is none, SkincliError when it ends before (it is stopped then, as
    after Ctrl-C) or does not register in time.
    """
    access, runner = find_access(config, environ), config.runner
    found = container.ours(runner.name, access.environ)
    if access.github is None:
        mends = "; ".join(check.mend for check in access.checks if not check.ok)
        raise SkincliError(f"the runner cannot be seen to register: {access.lacks}", mends)
    if found.running:
        return status(config, environ)
    before = {each.id for each in access.github.runners()}
    answer = ask(["docker", "start", runner.name], access.environ)
    if not answer.ok:
        raise failure("start the runner", answer, access.token)
    try:
        listed = wait_until_registered(runner, access, access.github, before, progress)
    except NotListed:
        raise
    except BaseException:
        container.stop(runner.name, access.environ)
        raise
    return RunnerStatus(container.find(runner.name, access.environ), (listed,))


def follow(config: Config, environ: Environ, write: Callable[[str], None]) -> None:
    """Hand every line of the runner's log to `write`, masked, until the container ends."""
    bare, name = without_tokens(environ), config.runner.name
    container.ours(name, bare)
    secret = environ.get(TOKEN_VARIABLE, "")
    command = ["docker", "logs", "--follow", "--tail", "1000", name]
    with subprocess.Popen(
        command,
        env=bare,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None, "it was asked for"
        try:
            for line in process.stdout:
                write(masked(line.rstrip("\n"), secret))
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise SkincliError(f"`docker logs {name}` ended with exit code {process.returncode}")


def shell_command(config: Config, environ: Environ) -> list[str]:
    """The command that opens a shell in the running container. Raises SkincliError."""
    found = container.ours(config.runner.name, without_tokens(environ))
    if not found.running:
        raise SkincliError(
            f"the container `{found.name}` does not run ({found.status})",
            "`skincli runner-setup --start` starts it again",
        )
    return ["docker", "exec", "-it", found.name, "bash"]

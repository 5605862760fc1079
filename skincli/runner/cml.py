"""The engine `cml`: one container for many jobs, in which CML keeps a runner going."""

import shlex
from collections.abc import Collection
from typing import Final

from skincli.config.schema import Config
from skincli.errors import SkincliError
from skincli.progress import Progress
from skincli.runner import container, launch, replacing
from skincli.runner.access import Access
from skincli.runner.ask import ask
from skincli.runner.complaints import failure
from skincli.runner.container import Registration
from skincli.runner.engine import NotListed, RunnerStatus, Stopped
from skincli.runner.github import GitHubError, Runner
from skincli.runner.preflight import at_github
from skincli.runner.token import TOKEN_VARIABLE
from skincli.runner.waiting import wait_until_registered

_LOG_LINES: Final = "1000"


def commands(config: Config, access: Access, url: str) -> tuple[str, ...]:
    return (shlex.join(launch.start_command(config, url, access.environ)),)


def start(config: Config, access: Access, before: Collection[int], progress: Progress) -> Runner:
    identity = launch.start(config, access, progress)
    try:
        return wait_until_registered(identity, config.runner, access, before, progress)
    except NotListed:
        raise
    except BaseException:
        launch.undo(identity, access.environ, progress)
        raise


def start_again(
    config: Config, access: Access, progress: Progress, allow_public: bool
) -> RunnerStatus:
    runner, environ = config.runner, access.environ
    found = container.ours(runner.name, environ)
    if found.running:
        return status(config, access)
    before = _allowed(config, access, allow_public)
    registered = container.registration(found.id, environ)
    ghost = registered.among(before) if registered is not None else None
    if ghost is not None:  # it was killed: what it was then never comes back
        replacing.forget(access.repository[1], ghost.id, progress)
    answer = ask(["docker", "start", found.id], environ)
    if not answer.ok:
        raise failure("start the runner", answer, access.token)
    try:
        numbers = {each.id for each in before}
        listed = wait_until_registered(found.id, runner, access, numbers, progress)
    except NotListed:
        raise
    except BaseException:
        with launch.warned(progress, "the runner may still run"):
            container.stop(found.id, environ)
        raise
    return RunnerStatus(True, container.find(found.id, environ), (listed,))


def _allowed(config: Config, access: Access, allow_public: bool) -> tuple[Runner, ...]:
    """The runners that GitHub lists. Raises SkincliError where it refuses a start by now."""
    checks, runners, _ = at_github(config, access, allow_public)
    failed = [check for check in checks if check.level == "failure"]
    if failed:
        raise SkincliError(
            "; ".join(f"{check.name}: {check.found}" for check in failed),
            "; ".join(check.mend for check in failed),
        )
    return runners


def status(config: Config, access: Access) -> RunnerStatus:
    name = config.runner.name
    found = container.find(name, access.environ)
    running = found is not None and found.running
    if found is None or access.github is None:
        return RunnerStatus(running, found, unknown=access.lacks)
    registered = container.registration(name, access.environ)
    try:
        listed = registered.among(access.github.runners()) if registered is not None else None
    except GitHubError as error:
        return RunnerStatus(running, found, unknown=error.message)
    return RunnerStatus(running, found, (listed,) if listed is not None else ())


def stop(config: Config, access: Access, progress: Progress, force: bool) -> Stopped:
    """Also takes a runner that did not unregister off GitHub's list."""
    name = config.runner.name
    found = container.ours(name, access.environ)
    registered = replacing.end(found, access, progress, force)
    unregistered, left = _forgotten(registered, access, progress)
    return Stopped(found.alive, unregistered, left, kept=True)


def _forgotten(
    registered: Registration | None, access: Access, progress: Progress
) -> tuple[bool | None, str]:
    """Whether GitHub lists the runner no more, and what to do where it does, or may do so."""
    if access.github is None:
        left = f"GitHub was not asked whether it is gone: {access.lacks}"
        return None, f"{left}; with {TOKEN_VARIABLE}, `--stop` again does so"
    if registered is None:
        return None, (
            "the container does not tell what it registered as; `--replace` removes ghosts"
        )
    try:
        listed = registered.among(access.github.runners())
    except GitHubError as error:
        return None, f"GitHub was not asked whether it is gone: {error.message}"
    if listed is None or replacing.forget(access.github, listed.id, progress):
        return True, ""
    return False, f"cancel the job of {registered.name} at GitHub, then `--stop` again"


def log_command(config: Config, access: Access) -> list[str]:
    name = container.ours(config.runner.name, access.environ).name
    return ["docker", "logs", "--follow", "--tail", _LOG_LINES, name]

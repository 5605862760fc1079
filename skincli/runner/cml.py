"""The engine `cml`: one container for many jobs, in which CML keeps a runner going."""

from collections.abc import Collection
from typing import Final

from skincli.config.schema import Config
from skincli.progress import Progress
from skincli.runner import container, launch, replacing
from skincli.runner.access import Access
from skincli.runner.ask import ask
from skincli.runner.checks import Check
from skincli.runner.complaints import failure
from skincli.runner.engine import NotListed, RunnerStatus, Stopped
from skincli.runner.github import GitHubError, Runner
from skincli.runner.token import TOKEN_VARIABLE
from skincli.runner.waiting import found_at, wait_until_registered

_LOG_LINES: Final = "1000"


def name_free(config: Config, access: Access, replace: bool) -> Check:
    return container.name_free(config.runner.name, access.environ, replace)


def commands(config: Config, access: Access, url: str) -> tuple[str, ...]:
    return launch.typed_commands(config, url)


def start(config: Config, access: Access, before: Collection[int], progress: Progress) -> Runner:
    name = config.runner.name
    launch.start(config, access)
    try:
        return wait_until_registered(config.runner, access, before, progress)
    except NotListed:
        raise
    except BaseException:
        launch.undo(name, access.environ)
        raise


def start_again(config: Config, access: Access, progress: Progress) -> RunnerStatus:
    runner = config.runner
    if container.ours(runner.name, access.environ).running:
        return status(config, access)
    _, github = access.repository
    number = container.registered_id(runner.name, access.environ)
    before = {each.id for each in github.runners()}
    if number in before:  # it was killed: what it was then never comes back
        replacing.forget(github, number, progress)
    answer = ask(["docker", "start", runner.name], access.environ)
    if not answer.ok:
        raise failure("start the runner", answer, access.token)
    try:
        listed = wait_until_registered(runner, access, before, progress)
    except NotListed:
        raise
    except BaseException:
        container.stop(runner.name, access.environ)
        raise
    return RunnerStatus(True, container.find(runner.name, access.environ), (listed,))


def status(config: Config, access: Access) -> RunnerStatus:
    found = container.find(config.runner.name, access.environ)
    running = found is not None and found.running
    if found is None or access.github is None:
        return RunnerStatus(running, found, unknown=access.lacks)
    try:
        runners = found_at(access.github.runners(), config.runner, access)
    except GitHubError as error:
        return RunnerStatus(running, found, unknown=error.message)
    return RunnerStatus(running, found, runners)


def stop(config: Config, access: Access, progress: Progress) -> Stopped:
    """Also takes a runner that did not unregister off GitHub's list."""
    name = config.runner.name
    found = container.ours(name, access.environ)
    stopped = found.running or found.status in ("restarting", "paused")
    number = replacing.end(name, access, progress)
    if access.github is None:
        left = f"GitHub was not asked whether it is gone: {access.lacks}"
        return Stopped(stopped, None, f"{left}; with {TOKEN_VARIABLE}, `--stop` again does so")
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


def log_command(config: Config, access: Access) -> list[str]:
    name = container.ours(config.runner.name, access.environ).name
    return ["docker", "logs", "--follow", "--tail", _LOG_LINES, name]

"""The engine `actions`, as the runner's verbs want an engine."""

from collections.abc import Collection
from typing import Final

from skincli.config.schema import Config
from skincli.errors import UsageError
from skincli.progress import Progress
from skincli.runner import actions, container
from skincli.runner.access import Access
from skincli.runner.actions.turn import runner_of
from skincli.runner.checks import Check
from skincli.runner.engine import RunnerStatus, Stopped
from skincli.runner.github import Runner

_LOG_LINES: Final = "1000"


def name_free(config: Config, access: Access, replace: bool) -> Check:
    """A container that an earlier supervisor left is taken over, with the job in it."""
    name, environ = config.runner.name, access.environ
    found = container.name_free(name, environ, replace)
    if replace or found.ok:
        return found
    noted = actions.status(config, environ, None)
    if noted.running and noted.noted is not None:
        taken = f"`{name}` is kept going already (pid {noted.noted.pid})"
        return Check(
            found.name, "failure", taken, "`--status` tells of it, `--replace` replaces it"
        )
    if noted.container is not None and runner_of(name, environ):
        return Check(found.name, "ok", f"`{name}` was left behind: it will be taken over")
    return found


def commands(config: Config, access: Access, url: str) -> tuple[str, ...]:
    return actions.commands(config, url, access.environ)


def start(
    config: Config, access: Access, before: Collection[int], progress: Progress
) -> Runner | None:
    url, _ = access.repository
    return actions.start(config, url, access.token, access.environ, progress).runner


def keep_going(config: Config, access: Access, progress: Progress) -> None:
    """Be the supervisor, until SIGTERM or Ctrl-C. Raises SkincliError when it gives up."""
    url, _ = access.repository
    actions.foreground(config, url, access.token, access.environ, progress)


def start_again(config: Config, access: Access, progress: Progress) -> RunnerStatus:
    raise UsageError(
        "the engine actions has no stopped container: each one is there for one job",
        "`skincli runner-setup --engine actions` starts the runner",
    )


def status(config: Config, access: Access) -> RunnerStatus:
    found = actions.status(config, access.environ, access.github)
    runners = (found.runner,) if found.runner is not None else ()
    noted = found.noted
    doing = f"{noted.doing} since {noted.since}, {noted.jobs} jobs done" if noted else ""
    unknown = access.lacks if access.github is None else found.unknown
    return RunnerStatus(found.running, found.container, runners, doing, unknown)


def stop(config: Config, access: Access, progress: Progress) -> Stopped:
    stopped = actions.stop(config, access.environ, access.github, progress)
    left = actions.status(config, access.environ, None).noted
    if left is None or not left.registered:
        return Stopped(stopped, True)
    names = ", ".join(left.registered)
    why = access.lacks or "it may still be at work on a job"
    return Stopped(stopped, None, f"GitHub may still list {names}: {why}")


def log_command(config: Config, access: Access) -> list[str]:
    path = actions.log_path(config)
    if not path.exists():
        raise UsageError(
            f"no runner `{config.runner.name}` of the engine actions was started here",
            "`skincli runner-setup --engine actions` starts one; `--name` names it",
        )
    noted = actions.status(config, access.environ, None)
    follow = ["-F", "--pid", str(noted.noted.pid)] if noted.running and noted.noted else []
    return ["tail", "-n", _LOG_LINES, *follow, str(path)]

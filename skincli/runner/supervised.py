"""The engine `actions`, as the runner's verbs want an engine."""

from collections.abc import Collection
from typing import Final

from skincli.config.schema import Config
from skincli.errors import UsageError
from skincli.progress import Progress
from skincli.runner import actions
from skincli.runner.access import Access
from skincli.runner.engine import RunnerStatus, Stopped
from skincli.runner.github import Runner
from skincli.runner.repository import is_same_repository

_LOG_LINES: Final = "1000"


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


def start_again(
    config: Config, access: Access, progress: Progress, allow_public: bool
) -> RunnerStatus:
    raise UsageError(
        "the engine actions has no stopped container: each one is there for one job",
        "`skincli runner-setup --engine actions` starts the runner",
    )


def status(config: Config, access: Access) -> RunnerStatus:
    found = actions.status(config, access.environ, access.github)
    runners = (found.runner,) if found.runner is not None else ()
    noted, held = found.noted, found.container
    doing = f"{noted.doing} since {noted.since}, {noted.jobs} jobs done" if noted else ""
    other = held.labels.supervisor_process if held is not None and not found.running else ""
    if other:
        doing = f"of another user, or another state folder (pid {other.partition(':')[0]})"
    unknown = access.lacks if access.github is None else found.unknown
    return RunnerStatus(found.running or bool(other), held, runners, doing, unknown)


def stop(config: Config, access: Access, progress: Progress, force: bool) -> Stopped:
    stopped = actions.stop(config, access.environ, access.github, progress)
    left = actions.status(config, access.environ, None).noted
    if left is None or not left.registered:
        return Stopped(stopped, True)
    why = access.lacks or "it may still be at work on a job"
    if access.url is not None and not is_same_repository(left.repository, access.url):
        why = f"it is of {left.repository}: `--stop` with that as `runner.repo`"
    return Stopped(stopped, None, f"GitHub may still list {', '.join(left.registered)}: {why}")


def log_command(config: Config, access: Access) -> list[str]:
    path, noted = actions.log_path(config), actions.status(config, access.environ, None)
    if not path.exists() and noted.running:
        raise UsageError(
            f"the runner `{config.runner.name}` is in the foreground: its log is where that is",
            "`journalctl -u skincli-runner -f` follows that of a systemd unit of this name",
        )
    if not path.exists():
        raise UsageError(
            f"no runner `{config.runner.name}` of the engine actions was started here",
            "`skincli runner-setup --engine actions` starts one; `--name` names it",
        )
    follow = ["-F", "--pid", str(noted.noted.pid)] if noted.running and noted.noted else []
    return ["tail", "-n", _LOG_LINES, *follow, str(path)]

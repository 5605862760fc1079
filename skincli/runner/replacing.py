"""Ending a runner so that GitHub forgets it: before another takes its place, or for good."""

import shlex
from typing import Final
from urllib.parse import urlsplit

from skincli.config.schema import Config
from skincli.errors import SkincliError
from skincli.progress import Progress
from skincli.runner import actions, container
from skincli.runner.access import Access
from skincli.runner.container import STOP_SECONDS, Container, Registration
from skincli.runner.github import GitHub, GitHubError, api_of
from skincli.runner.preflight import Findings
from skincli.runner.present import look
from skincli.runner.token import TOKEN_VARIABLE

# The token goes through a pipe: in the arguments of a program everybody could read it.
_HEADER: Final = (
    f'printf \'header = "Authorization: Bearer %s"\\n\' "${TOKEN_VARIABLE}" | curl -fsS -K -'
)


def take_over(
    config: Config, access: Access, found: Findings, progress: Progress, force: bool
) -> None:
    """End whatever engine has this name, and take all ghosts off GitHub's list.

    Raises UsageError where it is not this user's, SkincliError where CML's is at work on a job:
    then nothing is ended.
    """
    name, ghosts = config.runner.name, [each.id for each in found.ghosts]
    look(name, access.environ).require_ours(access.url)  # while it was examined, time went by
    actions.stop(config, access.environ, access.github, progress)
    old = container.find(name, access.environ)
    _, github = access.repository
    if old is not None:
        registered = end(old, access, progress, force)
        container.remove(old.id, access.environ)
        left = registered.among(github.runners()) if registered is not None else None
        ghosts += [left.id] if left is not None else []
    for ghost in ghosts:
        forget(github, ghost, progress)


def end(found: Container, access: Access, progress: Progress, force: bool) -> Registration | None:
    """Stop a container of CML's. Returns what it registered as, None where it cannot be told.

    Raises SkincliError where it is at work on a job, unless with `force`: CML does not unregister
    then and works on, until docker kills it with its job.
    """
    registered = container.registration(found.id, access.environ)
    if found.alive and registered is not None and not force:
        _require_idle(registered, access, progress)
    with progress.step(f"stopping {found.name}, which takes up to {STOP_SECONDS} s", 0):
        container.stop(found.id, access.environ)
    return registered


def _require_idle(registered: Registration, access: Access, progress: Progress) -> None:
    unknown = f"whether {registered.name} is at work on a job was not asked"
    if access.github is None:
        progress.warn(f"{unknown}: {access.lacks}")
        return
    try:
        runner = registered.among(access.github.runners())
    except GitHubError as error:
        progress.warn(f"{unknown}: {error.message}")
        return
    if runner is not None and runner.busy:
        raise SkincliError(
            f"the runner {runner.name} is at work on a job, which this would kill",
            "wait for its end, or cancel it at GitHub; `--force` kills it",
        )


def forget(github: GitHub, number: int, progress: Progress) -> bool:
    """Take a runner off GitHub's list; False, with a warning, where it is kept."""
    try:
        github.remove(number)
    except GitHubError as error:
        progress.warn(f"{error.message}; {error.hint}" if error.hint else error.message)
        return False
    return True


def typed_commands(config: Config, access: Access, found: Findings) -> tuple[str, ...]:
    """What `take_over` does, as lines for a shell."""
    name = config.runner.name
    try:
        engine = look(name, access.environ).engine
    except SkincliError:  # a check tells of it
        engine = ""
    stops = {
        "cml": [container.stop_command(name), container.remove_command(name)],
        "actions": [["skincli", "runner-setup", "--stop", "--name", name]],
    }
    stop = stops.get(engine, [])
    api = api_of(access.url, config.runner.api) if access.url else ""
    path = urlsplit(access.url or "").path
    deletes = [f"{api}/repos{path}/actions/runners/{ghost.id}" for ghost in found.ghosts]
    return (
        *(shlex.join(command) for command in stop),
        *(f"{_HEADER} -X DELETE {shlex.quote(url)}" for url in deletes),
    )

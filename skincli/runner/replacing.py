"""Ending a runner so that GitHub forgets it: before another takes its place, or for good."""

import shlex
from typing import Final
from urllib.parse import urlsplit

from skincli.config.schema import Config
from skincli.errors import SkincliError
from skincli.progress import Progress
from skincli.runner import actions, container
from skincli.runner.access import Access
from skincli.runner.github import GitHub, GitHubError, api_of
from skincli.runner.preflight import Findings
from skincli.runner.token import TOKEN_VARIABLE

# The token goes through a pipe: in the arguments of a program everybody could read it.
_HEADER: Final = (
    f'printf \'header = "Authorization: Bearer %s"\\n\' "${TOKEN_VARIABLE}" | curl -fsS -K -'
)


def take_over(config: Config, access: Access, found: Findings, progress: Progress) -> None:
    """End whatever engine has this name, and take all ghosts off GitHub's list."""
    name, ghosts = config.runner.name, [each.id for each in found.ghosts]
    actions.stop(config, access.environ, access.github, progress)
    if container.find(name, access.environ) is not None:
        number = end(name, access, progress)
        container.remove(name, access.environ)
        ghosts += [number] if number is not None else []
    if access.github is not None:
        for ghost in ghosts:
            forget(access.github, ghost, progress)


def end(name: str, access: Access, progress: Progress) -> int | None:
    """Stop a container. Returns GitHub's number of its runner, None where it cannot be told."""
    number = container.registered_id(name, access.environ)
    with progress.step(f"stopping {name}, which takes up to {container.STOP_SECONDS} s", 0):
        container.stop(name, access.environ)
    return number


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
        there = container.find(name, access.environ) is not None
    except SkincliError:  # a check tells of it
        there = False
    stop = [container.stop_command(name), container.remove_command(name)] if there else []
    api = api_of(access.url, config.runner.api) if access.url else ""
    path = urlsplit(access.url or "").path
    deletes = [f"{api}/repos{path}/actions/runners/{ghost.id}" for ghost in found.ghosts]
    return (
        *(shlex.join(command) for command in stop),
        *(f"{_HEADER} -X DELETE {shlex.quote(url)}" for url in deletes),
    )

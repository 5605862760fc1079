"""From a bare machine to a runner that waits for jobs."""

import shlex
from dataclasses import dataclass

from skincli.config.schema import Config
from skincli.progress import Progress
from skincli.runner import launch, replacing
from skincli.runner.access import Access, find_access
from skincli.runner.checks import Check, Environ
from skincli.runner.github import Runner
from skincli.runner.image import pull_command, toolkit_command
from skincli.runner.preflight import Findings, examine
from skincli.runner.waiting import NotListed, wait_until_registered

_UNKNOWN_REPOSITORY = "https://github.com/OWNER/NAME"


@dataclass(frozen=True, slots=True)
class RunnerResult:
    """`commands` are lines for a shell that start the same runner.

    `container` is the id of what was started, and `runner` how GitHub lists it; both are None
    after a dry run, and where a check failed: then nothing was started.
    """

    checks: tuple[Check, ...]
    commands: tuple[str, ...]
    container: str | None = None
    runner: Runner | None = None

    @property
    def failures(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.level == "failure")


def set_up_runner(
    config: Config,
    progress: Progress,
    environ: Environ,
    *,
    dry_run: bool = False,
    replace: bool = False,
    allow_public: bool = False,
) -> RunnerResult:
    """Check what a runner needs; if all is well and this is no `dry_run`, start it.

    Returns once GitHub lists the runner. `environ` holds the token; every program is run under it,
    without the token. Raises SkincliError when docker cannot start the container or the runner
    does not register; the container is removed again unless it may yet succeed.
    """
    access = find_access(config, environ)
    found = examine(
        config, access, progress, dry_run=dry_run, replace=replace, allow_public=allow_public
    )
    commands = _commands(config, access, found, replace)
    if dry_run or not found.ready:
        return RunnerResult(found.checks, commands)
    if replace:
        replacing.take_over(config, access, found, progress)
    identity, runner = _start(config, access, found, progress)
    return RunnerResult(found.checks, commands, identity, runner)


def _commands(config: Config, access: Access, found: Findings, replace: bool) -> tuple[str, ...]:
    """What a start does, in its order, each line for a shell."""
    runner = config.runner
    image = [] if found.image_here else [shlex.join(pull_command(runner.image))]
    if runner.gpu:
        image.append(shlex.join(toolkit_command(runner.image)))
    old = replacing.typed_commands(config, access, found) if replace else ()
    return (*image, *old, *launch.typed_commands(config, access.url or _UNKNOWN_REPOSITORY))


def _start(
    config: Config, access: Access, found: Findings, progress: Progress
) -> tuple[str, Runner]:
    """Start the container and wait for GitHub. A runner that ends or is interrupted is removed."""
    runner, github, url = config.runner, access.github, access.url
    assert github is not None, "the checks of token and repository were passed"
    assert url is not None, "the same"
    before = {each.id for each in found.runners}
    progress.note(f"starting the container {runner.name}")
    identity = launch.start(config, url, access.token, access.environ)
    try:
        return identity, wait_until_registered(runner, access, github, before, progress)
    except NotListed:
        raise
    except BaseException:
        launch.undo(runner.name, access.environ)
        raise

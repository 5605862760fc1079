"""From a bare machine to a runner that waits for jobs."""

import shlex
from dataclasses import dataclass

from skincli.config.schema import Config
from skincli.errors import UsageError
from skincli.progress import Progress
from skincli.runner import replacing, supervised
from skincli.runner.access import Access, find_access
from skincli.runner.checks import Check, Environ
from skincli.runner.engine import engine_of
from skincli.runner.github import Runner
from skincli.runner.image import pull_command, toolkit_command
from skincli.runner.preflight import Findings, examine

_UNKNOWN_REPOSITORY = "https://github.com/OWNER/NAME"


@dataclass(frozen=True, slots=True)
class RunnerResult:
    """`commands` are lines for a shell that start the same runner.

    Nothing is `started` in a dry run, and where a check failed. `runner` is what GitHub lists, None
    where nothing was started or the runner's one job is over already.
    """

    checks: tuple[Check, ...]
    commands: tuple[str, ...]
    started: bool = False
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
    foreground: bool = False,
    force: bool = False,
) -> RunnerResult:
    """Check what a runner needs; if all is well and this is no `dry_run`, start it.

    Returns once GitHub lists the runner; with `foreground`, which the engine actions alone can do,
    once it was told to end. `environ` holds the token; every program is run under it,
    without the token. Raises SkincliError when docker cannot start the container or the runner
    does not register; the container is removed again unless it may yet succeed. To `replace` a CML
    runner that is at work on a job takes `force`.
    """
    if foreground and config.runner.engine != "actions":
        raise UsageError(
            "`--foreground` is for the engine actions", "a CML runner is kept going by docker"
        )
    access = find_access(config, environ)
    found = examine(
        config, access, progress, dry_run=dry_run, replace=replace, allow_public=allow_public
    )
    commands = _commands(config, access, found, replace)
    if dry_run or not found.ready:
        return RunnerResult(found.checks, commands)
    if replace:
        replacing.take_over(config, access, found, progress, force)
    if foreground:
        _tell(found.checks, progress)
        supervised.keep_going(config, access, progress)
        return RunnerResult(found.checks, commands, started=True)
    progress.note(f"starting {config.runner.name}")
    before = {each.id for each in found.runners}
    runner = engine_of(config.runner.engine).start(config, access, before, progress)
    return RunnerResult(found.checks, commands, started=True, runner=runner)


def _tell(checks: tuple[Check, ...], progress: Progress) -> None:
    """What is to be known before the end, which in the foreground may be in months."""
    for check in checks:
        told = f"{check.name}: {check.found}"
        if check.ok:
            progress.note(told)
        else:
            progress.warn(f"{told}; {check.mend}")


def _commands(config: Config, access: Access, found: Findings, replace: bool) -> tuple[str, ...]:
    """What is done, in its order, each line for a shell; nothing on a machine without a runner."""
    image, engine = config.runner.image, engine_of(config.runner.engine)
    try:
        started = engine.commands(config, access, access.url or _UNKNOWN_REPOSITORY)
    except UsageError:  # its architecture, of which a check tells
        return ()
    # The engine actions takes the newest image in any case.
    here = found.image_here or config.runner.engine == "actions"
    tried = [] if here else [pull_command(image)]
    tried += [toolkit_command(image)] if config.runner.gpu else []
    old = replacing.typed_commands(config, access, found) if replace else ()
    return (*map(shlex.join, tried), *old, *started)

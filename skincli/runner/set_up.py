"""From a bare machine to a runner that waits for jobs."""

from dataclasses import dataclass

from skincli.config.automation import RunnerConfig
from skincli.config.schema import Config
from skincli.errors import SkincliError
from skincli.progress import Progress
from skincli.runner import checks as look
from skincli.runner.checks import TOKEN_VARIABLE, Check, Environ
from skincli.runner.launch import start, typed_commands
from skincli.runner.repository import find_repository

_UNKNOWN_REPOSITORY = "https://github.com/OWNER/NAME"


@dataclass(frozen=True, slots=True)
class RunnerResult:
    """`commands` are lines for a shell that start the same runner; `container` is its id."""

    checks: tuple[Check, ...]
    commands: tuple[str, ...]
    started: bool
    container: str | None


def set_up_runner(
    config: Config, progress: Progress, dry_run: bool, environ: Environ
) -> RunnerResult:
    """Check what a runner needs, and unless `dry_run` start it.

    `environ` holds the token; every program is run under it, without the token. Raises
    SkincliError when a check fails (not in a dry run, which lists it) or docker cannot start the
    container.
    """
    runner = config.runner
    bare = {name: value for name, value in environ.items() if name != TOKEN_VARIABLE}
    repository, url = find_repository(runner.repo, bare)
    checks = (*_machine(runner, bare), look.token(environ), repository)
    commands = typed_commands(runner, url or _UNKNOWN_REPOSITORY)
    if dry_run:
        return RunnerResult(checks, commands, started=False, container=None)
    _require(checks)
    assert url is not None, "a repository check that passed has an address"
    progress.note(f"starting {runner.name}; the first time, docker downloads {runner.image}")
    container = start(runner, url, environ[TOKEN_VARIABLE], bare)
    progress.note(f"started; `docker logs -f {runner.name}` shows it register")
    return RunnerResult(checks, commands, started=True, container=container)


def _machine(runner: RunnerConfig, environ: Environ) -> list[Check]:
    """The checks of docker and the GPU. Each that builds on a failed one is left out."""
    found = [look.gpu(environ)] if runner.gpu else []
    found.append(look.docker_client(environ))
    if found[-1].ok:
        found.append(look.docker_engine(environ))
    if found[-1].ok:
        found.append(look.name_free(runner.name, environ))
        if runner.gpu:
            found.append(look.nvidia_runtime(environ))
    return found


def _require(checks: tuple[Check, ...]) -> None:
    failed = [check for check in checks if not check.ok]
    if failed:
        found = "; ".join(f"{check.name} ({check.found})" for check in failed)
        raise SkincliError(
            f"the runner cannot start: {found}", "; ".join(check.mend for check in failed)
        )

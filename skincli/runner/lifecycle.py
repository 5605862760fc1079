"""A runner that was set up: its state, its end, its start again, its log, a shell in it."""

import subprocess
from collections.abc import Callable

from skincli.config.schema import Config
from skincli.errors import SkincliError, UsageError
from skincli.progress import Progress
from skincli.runner import container
from skincli.runner.access import find_access
from skincli.runner.checks import Environ
from skincli.runner.engine import Engine, RunnerStatus, Stopped, engine_of
from skincli.runner.present import Present, look
from skincli.runner.token import masked, without_tokens


def status(config: Config, environ: Environ) -> RunnerStatus:
    """The container, and what GitHub says of its runner.

    Raises UsageError where it is of another repository, SkincliError where docker fails.
    """
    access = find_access(config, environ)
    found = look(config.runner.name, access.environ)
    found.require_of(access.url)
    return _engine(found, config).status(config, access)


def stop(config: Config, environ: Environ, progress: Progress, *, force: bool = False) -> Stopped:
    """Stop the runner, which then unregisters, and see to it that GitHub lists it no more.

    Raises UsageError where there is none that this user may stop, SkincliError where docker fails,
    and where a CML runner is at work on a job, unless with `force`.
    """
    access = find_access(config, environ)
    found = look(config.runner.name, access.environ)
    found.require_ours(access.url)
    return _engine(found, config).stop(config, access, progress, force)


def start(
    config: Config, environ: Environ, progress: Progress, *, allow_public: bool = False
) -> RunnerStatus:
    """Start a stopped runner again and wait until GitHub lists it.

    Raises UsageError where there is none or GitHub cannot be asked, SkincliError where GitHub
    refuses what it once allowed, when it ends before it is listed (it is stopped then, as after
    Ctrl-C) or does not register in time.
    """
    access = find_access(config, environ)
    if access.github is None:
        mends = "; ".join(check.mend for check in access.checks if not check.ok)
        raise UsageError(f"the runner could not be seen to register: {access.lacks}", mends)
    found = look(config.runner.name, access.environ)
    found.require_ours(access.url)
    return _engine(found, config).start_again(config, access, progress, allow_public)


def _engine(found: Present, config: Config) -> Engine:
    """That of what is there, whatever the config says."""
    return engine_of(found.engine or config.runner.engine)


def follow(config: Config, environ: Environ, write: Callable[[str], None]) -> None:
    """Hand every line of the runner's log to `write`, masked, until the runner ends."""
    access = find_access(config, environ)
    engine = _engine(look(config.runner.name, access.environ), config)
    command = engine.log_command(config, access)
    with subprocess.Popen(
        command,
        env=access.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None, "it was asked for"
        try:
            for line in process.stdout:
                write(masked(line.rstrip("\n"), access.token))
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise SkincliError(f"`{command[0]}` ended with exit code {process.returncode}")


def shell_command(config: Config, environ: Environ) -> list[str]:
    """The command that opens a shell in the running container. Raises SkincliError."""
    found = container.ours(config.runner.name, without_tokens(environ))
    if not found.running:
        raise SkincliError(
            f"the container `{found.name}` does not run ({found.status})",
            "`skincli runner-setup --start` starts it again",
        )
    return ["docker", "exec", "-it", found.name, "bash"]

"""A runner that was set up: its state, its end, its start again, its log, a shell in it."""

import subprocess
from collections.abc import Callable

from skincli.config.schema import Config
from skincli.errors import SkincliError, UsageError
from skincli.progress import Progress
from skincli.runner import container
from skincli.runner.access import find_access
from skincli.runner.checks import Environ
from skincli.runner.engine import RunnerStatus, Stopped, engine_of
from skincli.runner.token import masked, without_tokens


def status(config: Config, environ: Environ) -> RunnerStatus:
    """The container, and what GitHub says of its runner. Raises SkincliError where docker fails."""
    return engine_of(config).status(config, find_access(config, environ))


def stop(config: Config, environ: Environ, progress: Progress) -> Stopped:
    """Stop the runner, which then unregisters, and see to it that GitHub lists it no more.

    Raises UsageError where there is none, SkincliError where docker fails.
    """
    return engine_of(config).stop(config, find_access(config, environ), progress)


def start(config: Config, environ: Environ, progress: Progress) -> RunnerStatus:
    """Start a stopped runner again and wait until GitHub lists it.

    Raises UsageError where there is none or GitHub cannot be asked, SkincliError when it ends
    before (it is stopped then, as after Ctrl-C) or does not register in time.
    """
    access = find_access(config, environ)
    if access.github is None:
        mends = "; ".join(check.mend for check in access.checks if not check.ok)
        raise UsageError(f"the runner could not be seen to register: {access.lacks}", mends)
    return engine_of(config).start_again(config, access, progress)


def follow(config: Config, environ: Environ, write: Callable[[str], None]) -> None:
    """Hand every line of the runner's log to `write`, masked, until the runner ends."""
    access = find_access(config, environ)
    command = engine_of(config).log_command(config, access)
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

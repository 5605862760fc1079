"""The command that starts the runner, and its start."""

import os
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from skincli.config.automation import RunnerConfig
from skincli.errors import SkincliError
from skincli.runner.ask import ask
from skincli.runner.checks import STATE_FORMAT, TOKEN_VARIABLE, Environ

_SHOWN_ENV_FILE: Final = "runner.env"
# CML keeps the variables named here from the jobs that it runs.
_SENSITIVE: Final = f"_CML_RUNNER_SENSITIVE_ENV={TOKEN_VARIABLE}"


def start_command(runner: RunnerConfig, repository: str, env_file: str) -> list[str]:
    """The `docker run` of a runner. The image's entry point hands `runner launch` to CML."""
    # A runner that stops itself when idle must not be started again by docker.
    restart = ["--restart", "unless-stopped"] if runner.idle_timeout == "never" else []
    gpus = ["--gpus", "all"] if runner.gpu else []
    return [
        *("docker", "run", "-d", "--init", "--name", runner.name, "--label", "skincli=runner"),
        *restart,
        *gpus,
        *("--shm-size", runner.shm_size, "--stop-timeout", "60"),
        *("--env-file", env_file, runner.image),
        *("runner", "launch", "--driver", "github", "--repo", repository),
        *("--labels", runner.labels, "--idle-timeout", runner.idle_timeout),
    ]


def typed_commands(runner: RunnerConfig, repository: str) -> tuple[str, ...]:
    """What `start` does, as lines for a shell. The token stays in its variable."""
    lines = rf"'{TOKEN_VARIABLE}=%s\n{_SENSITIVE}\n'"
    return (
        f'(umask 077 && printf {lines} "${TOKEN_VARIABLE}" > {_SHOWN_ENV_FILE})',
        shlex.join(start_command(runner, repository, _SHOWN_ENV_FILE)),
        f"rm {_SHOWN_ENV_FILE}",
    )


def start(runner: RunnerConfig, repository: str, token: str, environ: Environ) -> str:
    """Start the container and return its id. Raises SkincliError with docker's own reason."""
    with _env_file(token) as path:
        answer = ask(start_command(runner, repository, str(path)), environ, timeout=None)
    if not answer.ok:
        _remove_unstarted(runner.name, environ)
        reason = answer.complaint.replace(token, "***")
        raise SkincliError(
            f"docker could not start the runner: {reason}",
            "mend that, then run `skincli runner-setup` again",
        )
    return answer.out.strip()


@contextmanager
def _env_file(token: str) -> Iterator[Path]:
    """A file for docker alone to read: mode 600 from its first byte, and gone afterwards."""
    handle, name = tempfile.mkstemp(prefix="skincli-runner-", suffix=".env")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(f"{TOKEN_VARIABLE}={token}\n{_SENSITIVE}\n")
        yield Path(name)
    finally:
        Path(name).unlink()


def _remove_unstarted(name: str, environ: Environ) -> None:
    """Docker keeps a container that it created but could not start, and with it the name."""
    state = ask(["docker", "container", "inspect", "--format", STATE_FORMAT, name], environ)
    if state.ok and state.out.split() == ["created", "runner"]:
        ask(["docker", "rm", name], environ)

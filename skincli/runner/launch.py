"""The command that starts a CML runner, and its start.

CML's options and what it does with them: https://cml.dev/doc/ref/runner, and `bin/cml/runner/
launch.js` of https://github.com/iterative/cml.
"""

import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from skincli.config.automation import RunnerConfig
from skincli.config.schema import Config
from skincli.errors import SkincliError
from skincli.runner import container, volume
from skincli.runner.access import Access
from skincli.runner.ask import ask_to_the_end
from skincli.runner.checks import Environ
from skincli.runner.complaints import failure
from skincli.runner.token import TOKEN_VARIABLE

# A word that shlex leaves alone, in the place of the variable that a shell puts in.
_ENV_FILE: Final = "ENV_FILE"
# Another command was faster: what has the name is what that one makes.
_TAKEN: Final = "is already in use by container"


def start_command(runner: RunnerConfig, url: str, env_file: str) -> list[str]:
    """The `docker run` of a runner. The image's entry point hands `runner launch` to CML.

    CML gets no `--name`: it makes up a new one whenever its process starts. One killed by SIGKILL
    stays registered, and under the same name the next start would fail for ever.
    """
    # A runner that ends on purpose must not be started again by docker.
    forever = runner.idle_timeout == "never" and not runner.single
    restart = ["--restart", "unless-stopped"] if forever else []
    gpus = ["--gpus", "all"] if runner.gpu else []
    return [
        *("docker", "run", "-d", "--init", "--name", runner.name),
        *("--hostname", volume.host_name(runner.name), "--label", container.LABEL),
        *(*restart, *gpus),
        *("--shm-size", runner.shm_size, "--stop-timeout", str(container.STOP_SECONDS)),
        *(*volume.mounted(runner.volume, runner.mounts), "--env-file", env_file, runner.image),
        *("runner", "launch", "--driver", "github", "--repo", url, "--labels", runner.labels),
        *("--idle-timeout", idle_timeout(runner), *(["--single"] if runner.single else [])),
    ]


def idle_timeout(runner: RunnerConfig) -> str:
    """The time as every CML takes it.

    Some versions refuse the word `never` in a way that ends the process with exit code 0, which a
    restart policy repeats for ever. All take a number of seconds and count only above 0.
    """
    return "0" if runner.idle_timeout == "never" else runner.idle_timeout


def typed_commands(config: Config, url: str) -> tuple[str, ...]:
    """What `start` does, as lines for a shell. The token stays in its variable."""
    text = "".join(f"{name}={value}\n" for name, value in _content(config, "%s").items())
    # What printf would take for a directive or an escape is doubled, but for the token's place.
    written = text.replace("\\", r"\\").replace("%", "%%").replace("=%%s\n", "=%s\n", 1)
    written = written.replace("\n", r"\n")
    run = shlex.join(start_command(config.runner, url, _ENV_FILE))
    return (
        "env_file=$(mktemp)",
        f'printf {shlex.quote(written)} "${TOKEN_VARIABLE}" > "$env_file"',
        run.replace(_ENV_FILE, '"$env_file"'),
        'rm "$env_file"',
    )


def start(config: Config, access: Access) -> None:
    """Start the container. Raises SkincliError with docker's own reason.

    Interrupted or refused, it leaves no container.
    """
    name, environ, (url, _) = config.runner.name, access.environ, access.repository
    with _env_file(_content(config, access.token)) as path:
        command = start_command(config.runner, url, str(path))
        try:
            answer = ask_to_the_end(command, environ)
        except BaseException:
            undo(name, environ)
            raise
    if not answer.ok:
        if _TAKEN not in answer.err:
            _remove_unstarted(name, environ)
        raise failure("start the runner", answer, access.token)


def undo(name: str, environ: Environ) -> None:
    """Take back a start: the runner unregisters, its container goes."""
    with suppress(SkincliError):
        found = container.find(name, environ)
        if found is not None and found.ours:
            container.stop(name, environ)
            container.remove(name, environ)


def _content(config: Config, token: str) -> dict[str, str]:
    """The environment of the runner. CML keeps the named variable from the jobs that it runs."""
    own = {TOKEN_VARIABLE: token, "_CML_RUNNER_SENSITIVE_ENV": TOKEN_VARIABLE}
    return own | volume.variables(config)


@contextmanager
def _env_file(content: Mapping[str, str]) -> Iterator[Path]:
    """A file for docker alone to read: mode 600 from its first byte, and gone afterwards."""
    handle, name = tempfile.mkstemp(prefix="skincli-runner-", suffix=".env")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.writelines(f"{key}={value}\n" for key, value in content.items())
        yield Path(name)
    finally:
        Path(name).unlink()


def _remove_unstarted(name: str, environ: Environ) -> None:
    """Docker keeps a container that it created but could not start, and with it the name."""
    with suppress(SkincliError):
        found = container.find(name, environ)
        if found is not None and found.ours and found.status == "created":
            container.remove(name, environ)

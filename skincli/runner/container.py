"""The runner's container, as docker tells of it."""

import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skincli.errors import SkincliError, UsageError
from skincli.runner.ask import ask
from skincli.runner.checks import Environ
from skincli.runner.complaints import failure
from skincli.runner.github import Runner
from skincli.runner.labels import Labels

STOP_SECONDS: Final = 60
# A container that is told to stop has its time, and docker itself some more.
_STOP_PATIENCE: Final = STOP_SECONDS + 30.0
_FORMAT: Final = (
    "{{.Id}} {{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} {{json .Config.Labels}}"
)
# Where GitHub's runner notes what it registered as; CML's image sets CML_RUNNER_PATH to the folder.
_REGISTRATION: Final = "/home/runner/.runner"
_LARGEST_REGISTRATION: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Container:
    """`status` is docker's word: created, running, restarting, exited ...

    `restarts` counts how often docker's restart policy began it again. The `id` is of this one
    container, where another may have its `name` later.
    """

    name: str
    id: str
    status: str
    exit_code: int
    restarts: int
    labels: Labels

    @property
    def running(self) -> bool:
        return self.status == "running"

    @property
    def alive(self) -> bool:
        """Whether there is something to stop, even if it does nothing just now."""
        return self.status in ("running", "restarting", "paused")


@dataclass(frozen=True, slots=True)
class Registration:
    """What the runner in a container registered as. Its number is another's elsewhere."""

    id: int
    name: str

    def among(self, runners: Sequence[Runner]) -> Runner | None:
        return next(
            (each for each in runners if (each.id, each.name) == (self.id, self.name)), None
        )


def find(name: str, environ: Environ) -> Container | None:
    """The container of this name, None where there is none. Raises SkincliError."""
    answer = ask(["docker", "container", "inspect", "--format", _FORMAT, name], environ)
    if answer.ok:
        return _parsed(name, answer.out)
    if "no such container" in answer.err.lower():
        return None
    raise failure(f"tell of the container `{name}`", answer)


def _parsed(name: str, told: str) -> Container:
    try:
        identity, status, code, restarts, labels = told.strip().split(maxsplit=4)
        written = Labels.of(json.loads(labels) or {})
        return Container(name, identity, status, int(code), int(restarts), written)
    except ValueError:
        raise SkincliError(
            f"docker tells of the container `{name}` what cannot be read: {told.strip()!r}",
            "check that `docker` is Docker's own client",
        ) from None


def ours(name: str, environ: Environ) -> Container:
    """The runner's container. Raises UsageError where there is none, or it is someone else's."""
    found = find(name, environ)
    if found is None:
        raise UsageError(
            f"there is no container `{name}`",
            "`skincli runner-setup` starts one; `--name` names it",
        )
    if not found.labels.ours:
        raise UsageError(
            f"the container `{name}` was not made by skincli", "choose another `--name`"
        )
    return found


def stop(name: str, environ: Environ) -> None:
    """SIGTERM, on which a runner unregisters, and SIGKILL after a minute. Raises SkincliError."""
    answer = ask(stop_command(name), environ, _STOP_PATIENCE)
    if not answer.ok and "no such container" not in answer.err.lower():
        raise failure(f"stop `{name}`", answer)


def stop_command(name: str) -> list[str]:
    return ["docker", "stop", "-t", str(STOP_SECONDS), name]


def remove(name: str, environ: Environ) -> None:
    """Remove a container that has ended. Raises SkincliError."""
    answer = ask(remove_command(name), environ)
    if not answer.ok and "no such container" not in answer.err.lower():
        raise failure(f"remove `{name}`", answer)


def remove_command(name: str) -> list[str]:
    return ["docker", "rm", name]


def last_lines(name: str, environ: Environ, count: int = 20) -> list[str]:
    """The end of the container's log, both of its streams."""
    answer = ask(["docker", "logs", "--tail", str(count), name], environ)
    return [line for line in (answer.out + answer.err).splitlines() if line.strip()][-count:]


def registration(name: str, environ: Environ) -> Registration | None:
    """What the container, running or not, registered as last; None where that cannot be told."""
    with tempfile.TemporaryDirectory(prefix="skincli-") as folder:
        copy = Path(folder) / "runner"
        ask(["docker", "cp", f"{name}:{_REGISTRATION}", str(copy)], environ)
        # GitHub's runner writes JSON with a byte order mark.
        with suppress(OSError, ValueError, KeyError, TypeError):
            told = json.loads(_read(copy).decode("utf-8-sig"))
            return Registration(int(told["agentId"]), str(told["agentName"]))
    return None


def _read(copy: Path) -> bytes:
    """A job may be root in its container: what it left is no link into this machine, and short."""
    handle = os.open(copy, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as stream:
        return stream.read(_LARGEST_REGISTRATION)

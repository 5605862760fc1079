"""The runner's container, as docker tells of it."""

import json
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skincli.errors import SkincliError, UsageError
from skincli.runner.ask import ask
from skincli.runner.checks import Check, Environ
from skincli.runner.complaints import failure

LABEL: Final = "skincli=runner"
STOP_SECONDS: Final = 60
# A container that is told to stop has its time, and docker itself some more.
_STOP_PATIENCE: Final = STOP_SECONDS + 30.0
_FORMAT: Final = (
    '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} {{index .Config.Labels "skincli"}}'
)
# Where GitHub's runner notes what it registered as; CML's image sets CML_RUNNER_PATH to the folder.
_REGISTRATION: Final = "/home/runner/.runner"


@dataclass(frozen=True, slots=True)
class Container:
    """`status` is docker's word: created, running, restarting, exited ... `ours`: skincli made it.

    `restarts` counts how often docker's restart policy began it again.
    """

    name: str
    status: str
    exit_code: int
    restarts: int
    ours: bool

    @property
    def running(self) -> bool:
        return self.status == "running"


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
        status, code, restarts, *label = told.split()
        return Container(name, status, int(code), int(restarts), label == ["runner"])
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
    if not found.ours:
        raise UsageError(
            f"the container `{name}` was not made by skincli", "choose another `--name`"
        )
    return found


def name_free(name: str, environ: Environ, replace: bool) -> Check:
    """Whether no container has this name yet, or with `replace` none but a runner's."""
    title = "container name"
    try:
        found = find(name, environ)
    except SkincliError as error:
        return Check(title, "failure", error.message, error.hint)
    if found is None:
        return Check(title, "ok", f"`{name}` is free")
    taken = f"there is a container `{name}` already ({found.status})"
    if not found.ours:
        mend = "choose another name: `--name NAME`"
        return Check(title, "failure", f"{taken}, which skincli did not make", mend)
    if replace:
        return Check(title, "ok", f"{taken}: it will be replaced")
    return Check(title, "failure", taken, "`--replace` replaces it, `--start` starts it again")


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


def registered_id(name: str, environ: Environ) -> int | None:
    """GitHub's number of the runner in the container, running or not; None where it has none."""
    with tempfile.TemporaryDirectory(prefix="skincli-") as folder:
        copy = Path(folder) / "runner"
        ask(["docker", "cp", f"{name}:{_REGISTRATION}", str(copy)], environ)
        # GitHub's runner writes JSON with a byte order mark.
        with suppress(OSError, ValueError, KeyError, TypeError):
            return int(json.loads(copy.read_text(encoding="utf-8-sig"))["agentId"])
    return None

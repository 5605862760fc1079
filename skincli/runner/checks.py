"""What a runner needs of a machine. The doctor asks the same questions, and is more lenient."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from skincli.runner.ask import ask

Level = Literal["ok", "warning", "failure"]
Environ = Mapping[str, str]

TOKEN_VARIABLE: Final = "REPO_TOKEN"  # noqa: S105 - the name of a variable, not a token
STATE_FORMAT: Final = '{{.State.Status}} {{index .Config.Labels "skincli"}}'
_GPU_QUERY = ("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what was found and, unless all is well, how to mend it."""

    name: str
    level: Level
    found: str
    mend: str = ""

    @property
    def ok(self) -> bool:
        return self.level == "ok"

    def lenient(self) -> "Check":
        """The same check where the thing is useful but not needed."""
        return replace(self, level="warning") if self.level == "failure" else self


def docker_client(environ: Environ) -> Check:
    answer = ask(["docker", "--version"], environ)
    if answer.ok:
        return Check("docker client", "ok", answer.out.strip())
    mend = "install Docker Engine: https://docs.docker.com/engine/install/"
    return Check("docker client", "failure", answer.complaint, mend)


def docker_engine(environ: Environ) -> Check:
    answer = ask(["docker", "version", "--format", "{{.Server.Version}}"], environ)
    if answer.ok:
        return Check("docker engine", "ok", f"version {answer.out.strip()}")
    mend = "start it with `sudo systemctl start docker`"
    if "permission denied" in answer.err.lower():
        mend = "run `sudo usermod -aG docker $USER`, then log in again"
    return Check("docker engine", "failure", answer.complaint, mend)


def nvidia_runtime(environ: Environ) -> Check:
    """Whether docker can hand GPUs to a container."""
    answer = ask(["docker", "info", "--format", "{{json .Runtimes}}"], environ)
    try:
        runtimes = sorted(json.loads(answer.out) or {})
    except ValueError:
        runtimes = []
    if "nvidia" in runtimes:
        return Check("NVIDIA container runtime", "ok", "known to docker")
    found = f"docker knows only {', '.join(runtimes)}" if runtimes else answer.complaint
    mend = (
        "install the NVIDIA Container Toolkit, then run `sudo nvidia-ctk runtime configure "
        "--runtime=docker` and `sudo systemctl restart docker`; or do without: `runner.gpu=false`"
    )
    return Check("NVIDIA container runtime", "failure", found, mend)


def gpu(environ: Environ) -> Check:
    """The GPUs of this machine: name, memory and driver of each."""
    answer = ask(_GPU_QUERY, environ)
    # Some drivers say "No devices were found" and exit with 0: only rows of three fields count.
    rows = [line.strip() for line in answer.out.splitlines() if line.count(",") >= 2]
    if answer.ok and rows:
        return Check("GPU", "ok", "; ".join(rows))
    mend = "repair NVIDIA's driver (reboot if it was just updated)"
    if answer.missing:
        mend = "install NVIDIA's driver, or do without: `runner.gpu=false`"
    return Check("GPU", "failure", answer.complaint, mend)


def token(environ: Environ) -> Check:
    """Whether the environment holds a token. The token itself is never part of the answer."""
    value = environ.get(TOKEN_VARIABLE, "")
    if value and value.isascii() and value.isprintable() and " " not in value:
        return Check("token", "ok", f"{TOKEN_VARIABLE} is set")
    found = f"{TOKEN_VARIABLE} is not set"
    if value:
        found = f"{TOKEN_VARIABLE} holds blanks, line breaks or other characters no token has"
    mend = f"put a personal access token with the `repo` scope into {TOKEN_VARIABLE}"
    return Check("token", "failure", found, mend)


def name_free(name: str, environ: Environ) -> Check:
    """Whether no container has this name yet."""
    answer = ask(["docker", "container", "inspect", "--format", STATE_FORMAT, name], environ)
    if not answer.ok and "no such container" in answer.err.lower():
        return Check("container name", "ok", f"`{name}` is free")
    if not answer.ok:
        mend = "mend what docker reports, then run this again"
        return Check("container name", "failure", answer.complaint, mend)
    status = answer.out.split()[0]
    return Check(
        "container name",
        "failure",
        f"there is a container `{name}` already ({status})",
        f"`docker stop {name}` lets it unregister, then `docker rm {name}`; "
        "or choose another name: `runner.name=NAME`",
    )

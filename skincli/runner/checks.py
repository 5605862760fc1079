"""What a runner needs of a machine. The doctor asks the same questions, and is more lenient."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from skincli.runner.ask import ask

Level = Literal["ok", "warning", "failure"]
Environ = Mapping[str, str]

_GPU_QUERY: Final = (
    "nvidia-smi",
    "--query-gpu=name,memory.total,driver_version",
    "--format=csv,noheader",
)
# An engine that hangs holds the line open without an answer.
_PATIENCE: Final = 15.0


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
    answer = ask(["docker", "--version"], environ, _PATIENCE)
    if answer.ok:
        return Check("docker client", "ok", answer.out.strip())
    mend = "install Docker Engine: https://docs.docker.com/engine/install/"
    return Check("docker client", "failure", answer.complaint, mend)


def docker_engine(environ: Environ) -> Check:
    answer = ask(["docker", "version", "--format", "{{.Server.Version}}"], environ, _PATIENCE)
    if answer.ok:
        return Check("docker engine", "ok", f"version {answer.out.strip()}")
    mend = "start it with `sudo systemctl start docker`"
    if "permission denied" in answer.err.lower():
        mend = "run `sudo usermod -aG docker $USER`, then log in again"
    elif answer.late:
        mend = "restart it with `sudo systemctl restart docker`"
    return Check("docker engine", "failure", answer.complaint, mend)


def nvidia_driver(environ: Environ) -> Check:
    """The GPUs of this machine: name, memory and driver of each."""
    answer = ask(_GPU_QUERY, environ)
    # Some drivers say "No devices were found" and exit with 0: only rows of three fields count.
    rows = [line.strip() for line in answer.out.splitlines() if line.count(",") >= 2]
    if answer.ok and rows:
        return Check("NVIDIA driver", "ok", "; ".join(rows))
    mend = "repair NVIDIA's driver (reboot if it was just updated)"
    if answer.missing:
        mend = "install NVIDIA's driver, or do without: `--cpu`"
    return Check("NVIDIA driver", "failure", answer.complaint, mend)

"""Memory and disk. The doctor looks at the same figures."""

import json
import platform
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from skincli.runner.ask import ask
from skincli.runner.checks import Check, Environ

GB: Final = 1e9
# An image with CUDA, a Python environment with torch, the data and some runs.
_LEAST_DISK: Final = 10 * GB
_GOOD_DISK: Final = 40 * GB
# What docker gives a container that asks for none.
_LEAST_SHARED: Final = 64 << 20
_UNITS: Final = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_MEMINFO: Final = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class EngineHost:
    """The machine that docker's engine runs on. What it does not tell is None."""

    architecture: str
    root: Path | None
    memory: int | None


def engine_host(environ: Environ) -> EngineHost:
    answer = ask(["docker", "info", "--format", "{{json .}}"], environ)
    told: dict[str, Any] = {}
    with suppress(ValueError):
        parsed = json.loads(answer.out)
        told = parsed if isinstance(parsed, dict) else {}
    root, memory = told.get("DockerRootDir"), told.get("MemTotal")
    return EngineHost(
        str(told.get("Architecture") or platform.machine()),
        Path(root) if root else None,
        int(memory) if memory else None,
    )


def memory_sizes(meminfo: str) -> tuple[int, int]:
    """Bytes available and in all, of what `/proc/meminfo` reports in kB."""
    sizes = {
        name: int(rest.split()[0]) * 1024
        for name, rest in (line.split(":", 1) for line in meminfo.splitlines())
    }
    return sizes["MemAvailable"], sizes["MemTotal"]


def memory(host: EngineHost, shm_size: str) -> Check:
    """Whether the shared memory, which is memory, fits into the machine's."""
    available, total = _available_and_total(host)
    if total is None:
        return Check("memory", "warning", "docker does not tell", "see that `--shm-size` fits")
    shared = size_in_bytes(shm_size)
    free = "" if available is None else f"{available / GB:.1f} GB available of "
    found = f"{free}{total / GB:.1f} GB, {shared / GB:.1f} GB of it may be shared memory"
    mend = f"give it less: `--shm-size {max(1, int(total / 2 / _UNITS['g']))}g`"
    if shared > total:
        return Check("memory", "failure", found, mend)
    if available is not None and shared > available:
        return Check("memory", "warning", found, f"end other programs, or {mend}")
    if shared < _LEAST_SHARED:
        found = (
            f"{shm_size} is {shared} bytes of shared memory, which the loaders of a training use"
        )
        return Check("memory", "warning", found, "give it more: `--shm-size 8g`")
    return Check("memory", "ok", found)


def disk(host: EngineHost) -> Check:
    """Whether there is room where docker keeps images, containers and volumes."""
    try:
        free = None if host.root is None else shutil.disk_usage(host.root).free
    except OSError:  # of a remote engine, or in a folder that root alone may enter
        free = None
    if free is None:
        found = f"`{host.root}` cannot be looked at" if host.root else "docker does not tell"
        return Check("disk", "warning", found, "see that docker has 40 GB for images and volumes")
    found = f"{free / GB:.1f} GB free under `{host.root}`"
    mend = "make room: `docker system prune` removes what is unused"
    if free < _LEAST_DISK:
        return Check("disk", "failure", found, mend)
    return Check("disk", "ok" if free >= _GOOD_DISK else "warning", found, mend)


def size_in_bytes(size: str) -> int:
    """A size as docker takes it: `8g`, `512m`."""
    number = size.rstrip("bkmg")
    return int(number) * _UNITS[size[len(number) :]]


def _available_and_total(host: EngineHost) -> tuple[int | None, int | None]:
    """A remote engine, or one in a virtual machine, has another memory than this machine."""
    if not _MEMINFO.exists():
        return None, host.memory
    available, total = memory_sizes(_MEMINFO.read_text(encoding="ascii"))
    same = host.memory is None or abs(host.memory - total) < total / 10
    return (available, total) if same else (None, host.memory)

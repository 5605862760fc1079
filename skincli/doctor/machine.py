"""The machine: GPU, cores, memory, and the disk under the working folder."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from skincli.runner import checks
from skincli.runner.checks import Check, Environ

_GB: Final = 1e9
_LOW_MEMORY: Final = 2 * _GB
_LOW_DISK: Final = 10 * _GB
_FULL_DISK: Final = 1 * _GB


def hardware(folder: Path, environ: Environ) -> list[Check]:
    return [
        gpu(environ),
        Check("CPU", "ok", f"{len(os.sched_getaffinity(0))} cores may be used"),
        check_memory(Path("/proc/meminfo").read_text(encoding="ascii")),
        check_disk(shutil.disk_usage(folder).free),
        working_folder(folder),
    ]


def gpu(environ: Environ) -> Check:
    """The GPUs. To have none is fine; to have a driver that fails is not."""
    if shutil.which("nvidia-smi", path=environ.get("PATH")) is None:
        return Check("GPU", "ok", "none: training uses the CPU")
    return checks.gpu(environ).lenient()


def check_memory(meminfo: str) -> Check:
    """The memory that `/proc/meminfo` reports, in kB there."""
    sizes = {
        name: int(rest.split()[0]) * 1024
        for name, rest in (line.split(":", 1) for line in meminfo.splitlines())
    }
    available = sizes["MemAvailable"]
    found = f"{available / _GB:.1f} GB available of {sizes['MemTotal'] / _GB:.1f} GB"
    if available < _LOW_MEMORY:
        mend = "end other programs before training, or lower `data.batch_size`"
        return Check("memory", "warning", found, mend)
    return Check("memory", "ok", found)


def check_disk(free: int) -> Check:
    """Whether `free` bytes are enough for a data set, its cache and some runs."""
    found = f"{free / _GB:.1f} GB free"
    mend = "make room: old folders under `run.root` and `data.root` are the first to look at"
    if free < _FULL_DISK:
        return Check("disk", "failure", found, mend)
    if free < _LOW_DISK:
        return Check("disk", "warning", found, mend)
    return Check("disk", "ok", found)


def working_folder(folder: Path) -> Check:
    """Whether files can be made in `folder`, found out by making one that has no name."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        mend = "work in a folder of your own, or mend the permissions of this one"
        found = f"`{folder}` cannot be written to ({error.strerror})"
        return Check("working folder", "failure", found, mend)
    return Check("working folder", "ok", f"`{folder}` can be written to")

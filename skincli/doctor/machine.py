"""The machine: GPU, cores, memory, and the disk under the working folder."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from skincli.runner.capacity import GB, memory_sizes
from skincli.runner.checks import Check, Environ, nvidia_driver

_LOW_MEMORY: Final = 2 * GB
_LOW_DISK: Final = 10 * GB
_FULL_DISK: Final = 1 * GB


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
    return nvidia_driver(environ).lenient()


def check_memory(meminfo: str) -> Check:
    """Whether the memory that `/proc/meminfo` reports is enough to train with."""
    available, total = memory_sizes(meminfo)
    found = f"{available / GB:.1f} GB available of {total / GB:.1f} GB"
    if available < _LOW_MEMORY:
        mend = "end other programs before training, or lower `data.batch_size`"
        return Check("memory", "warning", found, mend)
    return Check("memory", "ok", found)


def check_disk(free: int) -> Check:
    """Whether `free` bytes are enough for a data set, its cache and some runs."""
    found = f"{free / GB:.1f} GB free"
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

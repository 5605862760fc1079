"""Telling whether the process that began something is still the one that runs."""

import os
import socket
from pathlib import Path


def host_name() -> str:
    return socket.gethostname()


def process_token(pid: int | None = None) -> str:
    """`pid:start time`: a number that is used again by another process does not fool it."""
    pid = os.getpid() if pid is None else pid
    return f"{pid}:{_start_time(pid)}"


def is_alive(token: str) -> bool:
    """Whether the process that `process_token` named still runs on this host."""
    pid, _, started = token.partition(":")
    return pid.isdecimal() and _start_time(int(pid)) == started != ""


def has_members(group: int) -> bool:
    """Whether a process of this process group still runs on this host."""
    return any(
        fields[2] == str(group)
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal() and (fields := _fields(entry.name))
    )


def _start_time(pid: int) -> str:
    """The start time in clock ticks after boot (proc(5), field 22); empty for no such process."""
    fields = _fields(str(pid))
    return fields[19] if fields else ""


def _fields(pid: str) -> list[str]:
    """`/proc/PID/stat` from its third field on; empty for no such process and for a dead one."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    fields = text.rpartition(")")[2].split()
    return [] if fields[0] == "Z" else fields

"""What all processes of a server cost, by proc(5): the processor's time, memory, what is loaded."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_TICK: Final = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    parent: int
    session: int
    ticks: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of a server's processes: the sum of their PSS, and the RSS of each, largest first."""

    resident: int
    processes: tuple[int, ...]


def cpu_seconds(leader: int) -> float:
    """The processor's time of the processes of `leader`, and of those that they have buried."""
    return sum(process.ticks for process in _tree(leader)) * _TICK


def memory_of(leader: int) -> Memory:
    found = [memory for process in _tree(leader) if (memory := _rollup(process.pid))]
    largest_first = sorted((memory["Rss"] for memory in found), reverse=True)
    return Memory(sum(memory["Pss"] for memory in found), tuple(largest_first))


def has_loaded(leader: int, library: str) -> bool:
    """Whether a process of `leader` has a file with `library` in its name mapped."""
    return any(library in _text(process.pid, "maps") for process in _tree(leader))


def _tree(leader: int) -> list[_Process]:
    """The descendants of `leader`, and what is in its session: a server may orphan its workers."""
    alive = list(_processes())
    members = {process.pid for process in alive if leader in (process.pid, process.session)}
    while more := {p.pid for p in alive if p.parent in members} - members:
        members |= more
    return [process for process in alive if process.pid in members]


def _processes() -> Iterator[_Process]:
    for entry in _PROC.iterdir():
        if entry.name.isdecimal() and (text := _text(int(entry.name), "stat")):
            # The name, in brackets, may hold anything; fields are counted from behind it.
            fields = text.rpartition(")")[2].split()
            ticks = sum(map(int, fields[11:15]))
            yield _Process(int(entry.name), int(fields[1]), int(fields[3]), ticks)


def _rollup(pid: int) -> dict[str, int]:
    """Bytes by name (Rss, Pss, ...); nothing for a process that has ended."""
    lines = [line.split() for line in _text(pid, "smaps_rollup").splitlines()[1:]]
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines}


def _text(pid: int, name: str) -> str:
    try:
        return (_PROC / str(pid) / name).read_text(errors="replace")
    except OSError:
        return ""

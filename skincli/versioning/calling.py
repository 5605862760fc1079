"""Running a command to its end, or ending it and all that it started."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

# What a command that is told to stop may take to clean up after itself.
_GRACE: Final = 5.0
_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command wrote, and its exit code."""

    code: int
    out: str
    err: str


def call(
    command: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    on_line: Callable[[str], None] = lambda _: None,
) -> Ended:
    """Run `command` in `folder`; `on_line` gets what it says on stderr, as soon as it says it.

    Whatever ends the wait, such as Ctrl-C, ends the command and what it started as well. Raises
    OSError when it cannot be started.
    """
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that all of it can be told to stop, and by us alone
        )
        assert process.stderr is not None
        said: list[str] = []
        try:
            with process.stderr as stream:
                for line in _lines(stream):
                    said.append(line)
                    on_line(line)
            code = process.wait()
        except BaseException:
            _end(process)
            raise
        out.seek(0)
        return Ended(code, out.read().decode(errors="replace"), "\n".join(said))


def _lines(stream: IO[bytes]) -> Iterator[str]:
    """Lines as they come; a progress bar ends one with a carriage return."""
    rest = b""
    while chunk := os.read(stream.fileno(), _CHUNK):
        *whole, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
        yield from (line.decode(errors="replace").rstrip() for line in whole if line.strip())
    if rest.strip():
        yield rest.decode(errors="replace").rstrip()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Tell it to stop as Ctrl-C would, and make it stop if it does not."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
    # What it started may outlive it.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

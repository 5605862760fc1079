"""Asking a program that is installed on this machine."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

# The exit codes of a shell and of `timeout`.
_TIMED_OUT = 124
_CANNOT_RUN = 126
_NOT_FOUND = 127
# Docker ends its complaints by pointing to its help, which says nothing about the cause.
_POINTERS = ("Usage:", "Run 'docker", "See 'docker", "Error: failed to start")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program wrote, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def missing(self) -> bool:
        return self.code == _NOT_FOUND

    @property
    def late(self) -> bool:
        return self.code == _TIMED_OUT

    @property
    def complaint(self) -> str:
        """The last line that says something: of stderr, else of stdout."""
        for text in (self.err, self.out):
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            telling = [line for line in lines if not line.startswith(_POINTERS)]
            if telling:
                return telling[-1].removeprefix("docker: ").rstrip(".")
        return f"exit code {self.code}"


def ask(command: Sequence[str], environ: Mapping[str, str], timeout: float | None = 30.0) -> Answer:
    """Run `command` under `environ` and nothing else, for `timeout` seconds at the most.

    A second Ctrl-C, while the first is being seen to, does not reach what clears up.
    """
    try:
        done = subprocess.run(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
            start_new_session=True,
        )
    except FileNotFoundError:
        return Answer(_NOT_FOUND, "", f"there is no `{command[0]}` command")
    except OSError as error:
        return Answer(_CANNOT_RUN, "", f"`{command[0]}` cannot be run: {error.strerror}")
    except subprocess.TimeoutExpired:
        return Answer(_TIMED_OUT, "", f"`{command[0]}` did not answer within {timeout:g} seconds")
    return Answer(done.returncode, done.stdout, done.stderr)


def ask_to_the_end(
    command: Sequence[str],
    environ: Mapping[str, str],
    printed: Callable[[str], None],
    grace: float = 30.0,
) -> Answer:
    """The same without a limit, for what must not be cut in two.

    Interrupted, this gives the program `grace` seconds to end by itself before it goes on, and what
    it has `printed` by then is told.
    """
    process = subprocess.Popen(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        out, err = process.communicate()
    except BaseException:
        with suppress(subprocess.TimeoutExpired):
            printed(process.communicate(timeout=grace)[0])
        process.kill()
        process.wait()
        raise
    return Answer(process.returncode, out, err)

"""What surrounds every command: the config, the output, signals, and errors to exit codes."""

import os
import shlex
import signal
import stat
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import typer

from skincli.cli.output import Output
from skincli.config.secrets import mask
from skincli.errors import Interrupted, SkincliError, UsageError
from skincli.progress import Progress

if TYPE_CHECKING:
    from skincli.config.load import Resolved
    from skincli.config.schema import Config

# Settings that a following command needs to find the same data, run and registry.
_CARRIED = ("data", "experiment", "tracking", "registry.", "evaluate.", "run.root", "runner.")


@dataclass(frozen=True, slots=True)
class Session:
    """One command at work."""

    resolved: "Resolved"
    output: Output
    progress: Progress
    words: tuple[str, ...]

    @property
    def config(self) -> "Config":
        return self.resolved.config

    def command(self, text: str) -> str:
        """A command to type next, with those of the user's own settings that it needs."""
        return shlex.join(["skincli", *shlex.split(text), *(mask(word) for word in self.words)])


@contextmanager
def session(
    overrides: Sequence[str], file: Path | None, as_json: bool, debug: bool
) -> Iterator[Session]:
    """Compose the config and run the body; every failure becomes a message and an exit code."""
    output = Output(as_json)
    with _reported(output, debug), _signals():
        from skincli.config.load import load_config

        resolved = load_config(overrides, file)
        yield Session(resolved, output, output.progress(), _carried(overrides, file))


def _carried(overrides: Sequence[str], file: Path | None) -> tuple[str, ...]:
    config = ("--config", str(file)) if file else ()
    return (*(word for word in overrides if word.startswith(_CARRIED)), *config)


@contextmanager
def _reported(output: Output, debug: bool) -> Iterator[None]:
    try:
        yield
    except typer.Exit:
        raise
    except (Exception, Interrupted, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        message, hint, code = _described(error)
        output.error(message, hint, code)
        raise typer.Exit(code) from None


def _described(error: BaseException) -> tuple[str, str, int]:
    if isinstance(error, ModuleNotFoundError):
        error = _of_missing_package(error)
    if isinstance(error, SkincliError):
        return error.message, error.hint, error.exit_code
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), "", 1
    if isinstance(error, Exception):
        text = f"unexpected {type(error).__name__}: {error}"
        return text, "run it again with `--debug` and report what it prints", 1
    code = error.exit_code if isinstance(error, Interrupted) else 130
    return "interrupted", "run the same command again; `train --resume` goes on with a run", code


def _of_missing_package(error: ModuleNotFoundError) -> Exception:
    """A server install lacks packages that some commands import; lacking others is a fault."""
    from skincli.doctor.packages import NOT_ON_A_SERVER, WHOLE

    package = (error.name or "").partition(".")[0]
    if package not in NOT_ON_A_SERVER.values():
        return error
    return UsageError(f"this needs `{package}`, which a server install leaves out", WHOLE)


@contextmanager
def _signals() -> Iterator[None]:
    """The first Ctrl-C or SIGTERM raises Interrupted where the work is; the clean-up is left alone.

    So does a terminal that is lost, unless `nohup` has the process ignore that. What is cleaned up
    is bounded in time, and SIGQUIT or SIGKILL still end the process at once.
    """
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    told: list[int] = []

    def interrupt(number: int, _: FrameType | None) -> None:
        if number == signal.SIGHUP:
            _let_go_of_terminal()
        if not told:
            told.append(number)
            raise Interrupted(number)

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _let_go_of_terminal() -> None:
    """What a clean-up still tells goes nowhere: to write to a terminal that is lost fails."""
    with Path(os.devnull).open("wb") as nothing:
        for stream in (1, 2):
            if stat.S_ISCHR(os.fstat(stream).st_mode) and not os.isatty(stream):
                os.dup2(nothing.fileno(), stream)

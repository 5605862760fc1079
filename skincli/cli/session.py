"""What surrounds every command: the config, the output, signals, and errors to exit codes."""

import shlex
import signal
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
from skincli.errors import Interrupted, SkincliError
from skincli.progress import Progress

if TYPE_CHECKING:
    from skincli.config.load import Resolved
    from skincli.config.schema import Config

# Settings that a following command needs to find the same data, run and registry.
_CARRIED = ("data", "experiment", "tracking", "registry.", "evaluate.", "run.root")


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
    except (SkincliError, Interrupted, KeyboardInterrupt, OSError) as error:
        if debug:
            traceback.print_exc()
        message, hint, code = _described(error)
        output.error(message, hint, code)
        raise typer.Exit(code) from None
    except Exception as error:
        if debug:
            traceback.print_exc()
        text = f"unexpected {type(error).__name__}: {error}"
        output.error(text, "run it again with `--debug` and report what it prints", 1)
        raise typer.Exit(1) from None


def _described(error: BaseException) -> tuple[str, str, int]:
    if isinstance(error, SkincliError):
        return error.message, error.hint, error.exit_code
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), "", 1
    code = error.exit_code if isinstance(error, Interrupted) else 130
    return "interrupted", "run the same command again; `train --resume` goes on with a run", code


@contextmanager
def _signals() -> Iterator[None]:
    """The first Ctrl-C or SIGTERM raises Interrupted where the work is; the clean-up is left alone.

    What is cleaned up is bounded in time, and SIGQUIT or SIGKILL still end the process at once.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)
    told: list[int] = []

    def interrupt(number: int, _: FrameType | None) -> None:
        if not told:
            told.append(number)
            raise Interrupted(number)

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

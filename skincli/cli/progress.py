"""Progress for a person: a Rich bar on a terminal, plain lines every few seconds elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from skincli.progress import Step

_SECONDS_BETWEEN_LINES = 5.0


def _described(facts: dict[str, str]) -> str:
    return "  ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items())


class RichProgress:
    """Bars that vanish when the work is done; notes stay."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def note(self, message: str) -> None:
        self._console.print(message, markup=False)

    def warn(self, message: str) -> None:
        self._console.print(f"warning: {message}", style="yellow", markup=False)

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Step]:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[facts]}", style="dim"),
        )
        with Progress(*columns, console=self._console, transient=True) as bars:
            task = bars.add_task(title, total=total, facts="")
            yield _Bar(bars, task)


class _Bar:
    def __init__(self, bars: Progress, task: TaskID) -> None:
        self._bars = bars
        self._task = task
        self._facts: dict[str, str] = {}

    def advance(self, amount: int = 1, **facts: str) -> None:
        self._facts |= facts
        self._bars.update(self._task, advance=amount, facts=_described(self._facts))


class PlainProgress:
    """One line at the start, one every few seconds, one at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def note(self, message: str) -> None:
        self._console.print(message, markup=False)

    def warn(self, message: str) -> None:
        self._console.print(f"warning: {message}", markup=False)

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Step]:
        lines = _Lines(self._console, title, total)
        yield lines
        lines.finish()


class _Lines:
    def __init__(self, console: Console, title: str, total: int) -> None:
        self._console = console
        self._title = title
        self._total = total
        self._done = 0
        self._facts: dict[str, str] = {}
        self._began = self._printed = time.monotonic()

    def advance(self, amount: int = 1, **facts: str) -> None:
        self._done += amount
        self._facts |= facts
        if time.monotonic() - self._printed >= _SECONDS_BETWEEN_LINES:
            self._print(f"about {self._seconds_left():.0f} s left")

    def finish(self) -> None:
        self._print(f"done in {time.monotonic() - self._began:.1f} s")

    def _seconds_left(self) -> float:
        elapsed = time.monotonic() - self._began
        return elapsed * max(0, self._total - self._done) / max(1, self._done)

    def _print(self, state: str) -> None:
        self._printed = time.monotonic()
        facts = _described(self._facts)
        text = f"{self._title}: {self._done:,}/{self._total:,}, {state}  {facts}".rstrip()
        self._console.print(text, markup=False)

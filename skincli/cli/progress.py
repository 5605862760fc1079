"""Progress for a person: Rich bars on a terminal, plain lines every few seconds elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from skincli.cli.text import printable
from skincli.progress import Step, Unit

_SECONDS_BETWEEN_LINES = 5.0


def _described(facts: dict[str, str]) -> str:
    known = {name: value for name, value in facts.items() if value}
    return "  ".join(f"{name.replace('_', ' ')} {value}" for name, value in known.items())


def _amount(done: float, total: float, unit: Unit) -> str:
    if not unit:
        return f"{done:,.0f}/{total:,.0f}" if total else f"{done:,.0f}"
    name, scale = ("MB", 1e6) if max(done, total) >= 1e6 else ("kB", 1e3)
    return f"{done / scale:,.1f}{f'/{total / scale:,.1f}' if total else ''} {name}"


def _rate(per_second: float) -> str:
    return f"{per_second / 1e6:,.2f} MB/s"


def _left(seconds: float) -> str:
    return f"about {seconds:.0f} s left" if seconds < 120 else f"about {seconds / 60:,.0f} min left"


class RichProgress:
    """Bars that vanish when the work is done; notes stay.

    Rich draws one live display at a time: steps that overlap share it, the last one takes it down.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = Lock()
        self._bars: Progress | None = None
        self._open = 0

    def note(self, message: str) -> None:
        self._console.print(printable(message), markup=False)

    def warn(self, message: str) -> None:
        self._console.print(printable(f"warning: {message}"), style="yellow", markup=False)

    @contextmanager
    def step(self, title: str, total: int, unit: Unit = "") -> Iterator[Step]:
        with self._shared_bars() as bars:
            task = bars.add_task(title, total=total or None, facts="", unit=unit)
            try:
                yield _Bar(bars, task)
            finally:
                bars.remove_task(task)

    @contextmanager
    def _shared_bars(self) -> Iterator[Progress]:
        with self._lock:
            if self._bars is None:
                self._bars = _new_bars(self._console)
                self._bars.start()
            self._open += 1
            bars = self._bars
        try:
            yield bars
        finally:
            with self._lock:
                self._open -= 1
                if not self._open:
                    bars.stop()
                    self._bars = None


def _new_bars(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        _AmountColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[facts]}", style="dim", markup=False),
    )
    return Progress(*columns, console=console, transient=True)


class _AmountColumn(ProgressColumn):
    """How much of how much is done; bytes with their speed."""

    def render(self, task: Task) -> Text:
        unit: Unit = task.fields["unit"]
        amount = _amount(task.completed, task.total or 0, unit)
        speed = f"  {_rate(task.speed)}" if unit == "bytes" and task.speed else ""
        return Text(amount + speed, style="progress.download")


class _Bar:
    def __init__(self, bars: Progress, task: TaskID) -> None:
        self._bars = bars
        self._task = task
        self._facts: dict[str, str] = {}

    def advance(self, amount: int = 1, **facts: str) -> None:
        self._facts = self._facts | facts  # a new dict: other threads may be reading this one
        self._bars.update(self._task, advance=amount, facts=_described(self._facts))


class PlainProgress:
    """A line every few seconds, and one at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def note(self, message: str) -> None:
        self._console.print(printable(message), markup=False)

    def warn(self, message: str) -> None:
        self._console.print(printable(f"warning: {message}"), markup=False)

    @contextmanager
    def step(self, title: str, total: int, unit: Unit = "") -> Iterator[Step]:
        lines = _Lines(self._console, title, total, unit)
        yield lines
        lines.finish()


class _Lines:
    """The speed is that since the first report, which may hold what was done before."""

    def __init__(self, console: Console, title: str, total: int, unit: Unit) -> None:
        self._console = console
        self._title = title
        self._total = total
        self._unit: Unit = unit
        self._lock = Lock()
        self._done = 0
        self._first: tuple[float, int] | None = None
        self._facts: dict[str, str] = {}
        self._began = self._printed = time.monotonic()

    def advance(self, amount: int = 1, **facts: str) -> None:
        with self._lock:
            self._done += amount
            self._facts |= facts
            if self._first is None:
                self._first = (time.monotonic(), self._done)
            if time.monotonic() - self._printed >= _SECONDS_BETWEEN_LINES:
                self._print(self._outlook())

    def finish(self) -> None:
        self._print(f"done in {time.monotonic() - self._began:.1f} s")

    def _outlook(self) -> str:
        since, already = self._first or (self._began, 0)
        elapsed = time.monotonic() - since
        speed = (self._done - already) / elapsed if elapsed else 0.0
        parts = []
        if speed > 0 and self._unit == "bytes":
            parts.append(_rate(speed))
        if speed > 0 and self._total >= self._done:
            parts.append(_left((self._total - self._done) / speed))
        return ", ".join(parts) or "under way"

    def _print(self, state: str) -> None:
        self._printed = time.monotonic()
        amount = _amount(self._done, self._total, self._unit)
        text = f"{self._title}: {amount}, {state}  {_described(self._facts)}".rstrip()
        self._console.print(text, markup=False)

"""Progress for a person: Rich bars on a terminal, plain lines every few seconds elsewhere."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column, Table
from rich.text import Text

from skincli.cli.amounts import described, how_much, left, rate
from skincli.cli.text import printable
from skincli.progress import Step, Unit

# Lines come at least so far apart, and rarer in long work: a log of hours is read too.
_SECONDS_BETWEEN_LINES = 5.0
_MOST_SECONDS_BETWEEN_LINES = 60.0
_SHARE_BETWEEN_LINES = 0.05

# Time left is judged by so many seconds, which should hold the pauses between epochs too.
_SECONDS_OF_SPEED = 120.0


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

    def panel(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        grid = Table.grid(
            Column(style="bold", no_wrap=True), Column(overflow="fold"), padding=(0, 2)
        )
        for name, value in rows:
            grid.add_row(Text(name), Text(printable(value)))
        framed = Panel(grid, title=Text(printable(title)), title_align="left", expand=False)
        self._console.print(framed)

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
    """The bar gives way first where the terminal is narrow, then the end of the facts."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        _AmountColumn(Column(no_wrap=True)),
        _LeftColumn(Column(no_wrap=True)),
        TextColumn("{task.fields[facts]}", style="dim", markup=False),
    )
    return Progress(
        *columns, console=console, transient=True, speed_estimate_period=_SECONDS_OF_SPEED
    )


class _AmountColumn(ProgressColumn):
    """How much of how much is done; bytes with their speed."""

    def render(self, task: Task) -> Text:
        unit: Unit = task.fields["unit"]
        speed = f"  {rate(task.speed)}" if unit == "bytes" and task.speed else ""
        return Text(how_much(task.completed, task.total or 0, unit) + speed, "progress.download")


class _LeftColumn(ProgressColumn):
    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        seconds = task.time_remaining
        return Text("" if seconds is None else left(seconds), "progress.remaining")


class _Bar:
    def __init__(self, bars: Progress, task: TaskID) -> None:
        self._bars = bars
        self._task = task
        self._facts: dict[str, str] = {}

    def advance(self, amount: int = 1, **facts: str) -> None:
        self._facts = self._facts | facts  # a new dict: other threads may be reading this one
        self._bars.update(self._task, advance=amount, facts=described(self._facts))


class PlainProgress:
    """A line now and then, and one at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def note(self, message: str) -> None:
        self._console.print(printable(message), markup=False)

    def warn(self, message: str) -> None:
        self._console.print(printable(f"warning: {message}"), markup=False)

    def panel(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        self.note(title)
        width = max(len(name) for name, _ in rows)
        for name, value in rows:
            for index, line in enumerate(value.split("\n")):
                self.note(f"  {'' if index else name:<{width}}  {line}")

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
            now = time.monotonic()
            if self._first is None:
                self._first = (now, self._done)
            if now - self._printed >= _pause(now - self._began):
                self._print(self._outlook())

    def finish(self) -> None:
        self._print(f"done in {time.monotonic() - self._began:.1f} s")

    def _outlook(self) -> str:
        since, already = self._first or (self._began, 0)
        elapsed = time.monotonic() - since
        speed = (self._done - already) / elapsed if elapsed else 0.0
        parts = []
        if speed > 0 and self._unit == "bytes":
            parts.append(rate(speed))
        if speed > 0 and self._total >= self._done:
            parts.append(f"about {left((self._total - self._done) / speed)}")
        return ", ".join(parts) or "under way"

    def _print(self, state: str) -> None:
        self._printed = time.monotonic()
        done = how_much(self._done, self._total, self._unit)
        text = f"{self._title}: {done}, {state}  {described(self._facts)}".rstrip()
        self._console.print(text, markup=False)


def _pause(elapsed: float) -> float:
    """Seconds between two lines of work that has gone on for so long."""
    longest = max(_SECONDS_BETWEEN_LINES, elapsed * _SHARE_BETWEEN_LINES)
    return min(longest, _MOST_SECONDS_BETWEEN_LINES)

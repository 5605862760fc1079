"""Progress of the trials within that of the search."""

from collections.abc import Iterator
from contextlib import contextmanager

from skincli.progress import Progress, Silent, Step, Unit


class TrialProgress(Silent):
    """Bars, and warnings the first time: what every run says would be said once a trial."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._warned: set[str] = set()

    def warn(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            self._progress.warn(message)

    @contextmanager
    def step(self, title: str, total: int, unit: Unit = "") -> Iterator[Step]:
        with self._progress.step(title, total, unit) as step:
            yield step

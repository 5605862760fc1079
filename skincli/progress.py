"""How a verb tells its caller how far it is, without knowing who watches."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Step(Protocol):
    """One piece of long work that is under way."""

    def advance(self, amount: int = 1, **facts: str) -> None:
        """Report `amount` more units done, and facts worth showing (already formatted)."""
        ...


class Progress(Protocol):
    """What a verb is handed: `note` for a line, `step` for work with a length."""

    def note(self, message: str) -> None: ...

    def warn(self, message: str) -> None: ...

    def step(self, title: str, total: int) -> AbstractContextManager[Step]: ...


class _SilentStep:
    def advance(self, amount: int = 1, **facts: str) -> None:
        pass


class Silent:
    """The progress of a caller who does not look: tests, and `--json`."""

    def note(self, message: str) -> None:
        pass

    def warn(self, message: str) -> None:
        pass

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Step]:
        yield _SilentStep()

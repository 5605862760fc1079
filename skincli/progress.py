"""How a verb tells its caller how far it is, without knowing who watches."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Literal, Protocol

Unit = Literal["", "bytes"]


class Step(Protocol):
    """One piece of long work that is under way. Any thread may report."""

    def advance(self, amount: int = 1, **facts: str) -> None:
        """Report `amount` more units done, and facts worth showing (already formatted).

        Below 0 where work is done again. A fact that is set to nothing is shown no more.
        """
        ...


class Progress(Protocol):
    """What a verb is handed: `note` for a line, `panel` for facts, `step` for work with a length.

    Steps may overlap. A `total` of 0 is a length that nobody knows.
    """

    def note(self, message: str) -> None: ...

    def warn(self, message: str) -> None: ...

    def panel(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Named facts under a title. A value may have several lines, aligned by blanks."""
        ...

    def step(self, title: str, total: int, unit: Unit = "") -> AbstractContextManager[Step]: ...


class _SilentStep:
    def advance(self, amount: int = 1, **facts: str) -> None:
        pass


class Silent:
    """The progress of a caller who does not look: tests, and `--json`."""

    def note(self, message: str) -> None:
        pass

    def warn(self, message: str) -> None:
        pass

    def panel(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        pass

    @contextmanager
    def step(self, title: str, total: int, unit: Unit = "") -> Iterator[Step]:
        yield _SilentStep()

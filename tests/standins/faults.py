"""What can go wrong with one answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Fault:
    """One bad answer.

    `wrong` flips a bit, `cut` hangs up and `stall` falls silent, each `after` so many bytes;
    `unsized` hangs up too, without having told how many bytes there are. `status` answers with
    `status` and `retry_after`, `empty` with 202 and nothing, `html` with a page. `then` is called
    once that is done.
    """

    kind: Literal["wrong", "cut", "unsized", "stall", "status", "empty", "html"]
    after: int = 0
    status: int = 503
    retry_after: str = ""
    then: Callable[[], None] | None = None


WRONG = Fault("wrong")
EMPTY = Fault("empty")
PAGE = Fault("html")


def cut(after: int, then: Callable[[], None] | None = None) -> Fault:
    return Fault("cut", after=after, then=then)


def unsized(after: int) -> Fault:
    return Fault("unsized", after=after)


def stall(after: int) -> Fault:
    return Fault("stall", after=after)


def answers(status: int, retry_after: str = "") -> Fault:
    return Fault("status", status=status, retry_after=retry_after)

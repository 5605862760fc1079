"""Ctrl-C and SIGTERM while a network trains."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from skincli.errors import Interrupted


class Interruption:
    """Takes the first signal down: a signal that raises where it strikes would leave weights and
    schedule at odds, so the training ends at the end of a step. `number` is 0 until then.
    """

    def __init__(self) -> None:
        self.number = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take a signal down instead of raising at once; a second one raises Interrupted."""
        before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}

        def take_down(number: int, _: FrameType | None) -> None:
            if self.number:
                raise Interrupted(number)
            self.number = number

        for number in before:
            signal.signal(number, take_down)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

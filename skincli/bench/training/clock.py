"""Time on a device that works on while the host has already gone on; and its full memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final

import torch

from skincli.errors import SkincliError

_WARM_UP: Final = 10


def now(device: torch.device) -> float:
    """Seconds, read once the device has done all that it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return perf_counter()


def timed(device: torch.device, work: Callable[[], None]) -> float:
    """How many seconds the work takes, on the device too."""
    began = now(device)
    work()
    return now(device) - began


def warm_up_steps(steps: int) -> int:
    """How many steps are taken before those that count, of which there are `steps`."""
    return min(_WARM_UP, steps)


@contextmanager
def memory_errors() -> Iterator[None]:
    """Say in plain words that the device's memory is full. Raises SkincliError."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise SkincliError(
            f"the GPU's memory is full: {error}", "try a smaller data.batch_size"
        ) from error

"""How much anonymous memory this process holds while something runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Final

_STATUS: Final = Path("/proc/self/status")
_SECONDS_BETWEEN_SAMPLES: Final = 0.02


class PeakMemory:
    """The most that was seen, in bytes.

    Pages of mapped files do not count: the kernel drops them when it needs the memory.
    """

    def __init__(self) -> None:
        self.bytes = anonymous_bytes()

    def sample(self) -> None:
        self.bytes = max(self.bytes, anonymous_bytes())


def anonymous_bytes() -> int:
    """The anonymous memory of this process now (RssAnon in proc(5)), in bytes."""
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{_STATUS} tells no RssAnon")


@contextmanager
def watched_memory() -> Iterator[PeakMemory]:
    """Sample the memory in a thread of its own while the body runs."""
    peak, over = PeakMemory(), Event()

    def watch() -> None:
        while not over.wait(_SECONDS_BETWEEN_SAMPLES):
            peak.sample()

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()
        peak.sample()

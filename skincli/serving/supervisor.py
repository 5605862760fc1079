"""The parent of the service: starts its processes, replaces those that die, stops them all."""

import ctypes
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Final

from skincli.errors import SkincliError, UsageError

# Forked before anything heavy is imported and while there is one thread, children start at once.
_FORK: Final = multiprocessing.get_context("fork")
_STARTUP_FAILURE: Final = 3  # uvicorn's
_FIRST_DELAY, _LONGEST_DELAY, _STEADY = 0.5, 30.0, 60.0
_LATE_SECONDS: Final = 5.0  # beyond their own grace, children that hang are killed
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_PR_SET_PDEATHSIG: Final = 1  # of prctl(2)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """What a process is to do. Only one that `may_end` is not missed when it has returned."""

    name: str
    run: Callable[[], None]
    may_end: bool = False


class Child:
    """One process of the service, and those that took its place."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._delay = _FIRST_DELAY
        self.is_first = True
        self.due: float | None = None  # when it is to be started again, by time.monotonic
        self.start()

    def start(self) -> None:
        """Raises OSError when the system has no process to give."""
        self.due, self._started = None, time.monotonic()
        self._report, writer = _FORK.Pipe(duplex=False)
        self.process: ForkProcess = _FORK.Process(
            target=_run, args=(self.target.run, writer, os.getpid()), name=self.target.name
        )
        # Until it has handlers of its own, the child would answer a signal as its parent does.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            writer.close()

    def failure(self) -> SkincliError | None:
        """Why an ended process could not do its work, where it said so."""
        with self._report, suppress(EOFError):  # of one that had nothing to say
            message, hint, exit_code = self._report.recv()
            kind = UsageError if exit_code == UsageError.exit_code else SkincliError
            return kind(message, hint)
        if self.process.exitcode == _STARTUP_FAILURE:
            return SkincliError(
                f"the {self.target.name} could not start", "the lines above say why"
            )
        return None

    def start_later(self) -> None:
        """Take a fresh one, ever later while they die young."""
        self.is_first = False
        now = time.monotonic()
        steady = now - self._started > _STEADY
        self._delay = _FIRST_DELAY if steady else min(_LONGEST_DELAY, 2 * self._delay)
        self.due = now + self._delay


def supervise(
    targets: Sequence[Target],
    stopping: Callable[[], None],
    grace_seconds: float,
) -> None:
    """Run targets as processes until SIGTERM or Ctrl-C, which they are told as SIGTERM.

    `stopping` is called before they are told to stop.
    To be called in the main thread, while it is the only one. Raises SkincliError when a first
    process cannot start.
    """
    children: list[Child] = []
    with _woken_by_signals() as woken:
        try:
            children.extend(Child(target) for target in targets)
            while not woken.poll():
                _replace_ended(children)
                wait([woken, *_sentinels(children)], _patience(children))
        finally:
            stopping()
            _stop(children, grace_seconds + _LATE_SECONDS, woken)


def _replace_ended(children: list[Child]) -> None:
    """Take note of processes that have ended, start those that are due. Raises SkincliError."""
    for child in list(children):
        if child.due is not None:
            if child.due <= time.monotonic():
                _start_again(child)
        elif not child.process.is_alive():
            _bury(child, children)


def _start_again(child: Child) -> None:
    try:
        child.start()
    except OSError as error:
        child.start_later()
        _log.warning("no process for the %s: %s", child.target.name, error.strerror)


def _bury(child: Child, children: list[Child]) -> None:
    code, failure = child.process.exitcode, child.failure()
    if failure is not None and child.is_first:
        raise failure
    if code == 0 and child.target.may_end:
        children.remove(child)
        return
    child.start_later()
    why = failure.message if failure else _how_it_ended(code)
    ended = "the %s (%s) ended: %s; starting another"
    _log.warning(ended, child.target.name, child.process.pid, why)


def _stop(children: Sequence[Child], patience: float, woken: Connection) -> None:
    """SIGTERM to all, and SIGKILL to who is late, or at a second signal."""
    alive = [child.process for child in children if child.process.is_alive()]
    for process in alive:
        process.terminate()
    while woken.poll():
        woken.recv_bytes()
    until = time.monotonic() + patience
    while (alive := [process for process in alive if process.is_alive()]) and not woken.poll():
        left = until - time.monotonic()
        if left <= 0:
            break
        wait([woken, *(process.sentinel for process in alive)], left)
    for process in alive:
        process.kill()
        process.join()


def _sentinels(children: Sequence[Child]) -> list[int]:
    return [child.process.sentinel for child in children if child.due is None]


def _patience(children: Sequence[Child]) -> float | None:
    due = [child.due for child in children if child.due is not None]
    return max(0.0, min(due) - time.monotonic()) if due else None


def _how_it_ended(code: int | None) -> str:
    return f"killed by signal {-code}" if code is not None and code < 0 else f"exit code {code}"


@contextmanager
def _woken_by_signals() -> Iterator[Connection]:
    """A connection that can be read once SIGINT or SIGTERM has come."""
    reader, writer = _FORK.Pipe(duplex=False)
    before = {
        number: signal.signal(number, lambda *_: writer.send_bytes(b"stop")) for number in _SIGNALS
    }
    try:
        yield reader
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        reader.close()
        writer.close()


def _run(target: Callable[[], None], report: Connection, parent: int) -> None:
    """In the child: no keyboard, no life without the parent, and failures told to it."""
    os.setsid()
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(1)
    try:
        target()
    except SkincliError as error:
        report.send((error.message, error.hint, error.exit_code))
        raise SystemExit(1) from None

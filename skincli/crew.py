"""Several pieces of work at once, in threads that never keep the process from ending."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import islice
from queue import SimpleQueue
from threading import Event, Thread, current_thread
from time import monotonic
from typing import Final, TypeVar

_Item = TypeVar("_Item")
_Held = TypeVar("_Held")
_Finished = SimpleQueue[tuple[Thread, BaseException | None]]
# How long threads may take to notice that the work is over. One that waits for a byte does not
# notice: it is left behind, and ends at its next byte or time-out without writing anything.
_SECONDS_TO_NOTICE: Final = 0.5


def work_through(
    items: Iterable[_Item],
    parallel: int,
    hold: Callable[[_Item], AbstractContextManager[_Held]],
    work: Callable[[_Item, _Held], None],
    stop: Event,
) -> None:
    """Do `work` on every item, `parallel` at once, each with the context that `hold` gives it.

    The first error, or a signal in the calling thread, sets `stop` and is raised. Contexts are
    entered and left by the calling thread, hence left also when a thread is left behind.
    """
    waiting, finished = iter(items), _Finished()
    crew: dict[Thread, ExitStack] = {}
    with ExitStack() as contexts, _told_to_stop(crew, stop):
        while True:
            for item in islice(waiting, parallel - len(crew)):
                context = contexts.enter_context(ExitStack())
                held = context.enter_context(hold(item))
                thread = Thread(target=_run, args=(work, item, held, finished), daemon=True)
                crew[thread] = context
                thread.start()
            if not crew:
                return
            thread, error = finished.get()
            crew.pop(thread).close()
            if error is not None:
                raise error


def _run(
    work: Callable[[_Item, _Held], None], item: _Item, held: _Held, finished: _Finished
) -> None:
    error = None
    try:
        work(item, held)
    except BaseException as raised:  # the calling thread raises it again
        error = raised
    finished.put((current_thread(), error))


@contextmanager
def _told_to_stop(crew: Collection[Thread], stop: Event) -> Iterator[None]:
    try:
        yield
    except BaseException:
        stop.set()
        deadline = monotonic() + _SECONDS_TO_NOTICE
        for thread in crew:
            thread.join(max(deadline - monotonic(), 0))
        raise

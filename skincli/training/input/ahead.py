"""Work done by threads a little before its result is asked for."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    work: Callable[[Item], Result], items: Iterable[Item], *, depth: int, threads: int
) -> Iterator[Result]:
    """`work` of each item, in order, while the next `depth` are in the making.

    What `work` raises is raised here when its turn comes. The threads end with the iterator, also
    when that is left early.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix="batches-ahead")
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)

"""The threads that look at images, and the bounded queue before them."""

import asyncio
import math
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from skincli.config.serving import ServeConfig
from skincli.serving.errors import Problem
from skincli.serving.meters import ServiceMeters
from skincli.serving.model import Answer, ServedModel, Upload

_LONGEST_RETRY_SECONDS: Final = 60
# How much the newest image counts in the running mean of seconds per image.
_NEWEST: Final = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """An image that waits, the model that is to look at it, and whom to tell."""

    model: ServedModel
    upload: Upload
    future: asyncio.Future[Answer]
    loop: asyncio.AbstractEventLoop

    def settle(self, result: Answer | Exception) -> None:
        self.loop.call_soon_threadsafe(self._settle, result)

    def _settle(self, result: Answer | Exception) -> None:
        if self.future.done():  # cancelled: another image of its request was refused
            return
        if isinstance(result, Exception):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)


class InferenceThreads:
    """As many threads as cores, each decoding and scoring an image, or a small batch, at a time.

    Decoding and ONNX Runtime let go of the interpreter. What waits is bounded: beyond that, and
    for images that have waited longer than the deadline, there is a Problem with Retry-After.
    """

    def __init__(self, config: ServeConfig, meters: ServiceMeters) -> None:
        self._limits = config.limits
        self._max_batch = config.max_batch
        self._window = config.batch_window_ms / 1000
        self._meters = meters
        self._waiting: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._seconds_per_image = 0.05
        count = config.threads or len(os.sched_getaffinity(0))
        self._threads = [
            threading.Thread(target=self._work, name=f"inference-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    async def answer(self, model: ServedModel, uploads: Sequence[Upload]) -> list[Answer]:
        """One answer per upload, in order. Raises Problem: a bad image, no room, the deadline."""
        loop = asyncio.get_running_loop()
        jobs = [_Job(model, upload, loop.create_future(), loop) for upload in uploads]
        self._enter(jobs)
        try:
            return await asyncio.gather(*(job.future for job in jobs))
        finally:
            for job in jobs:
                job.future.cancel()

    def close(self) -> None:
        """End the threads, after what they are at."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _enter(self, jobs: Sequence[_Job]) -> None:
        with self._changed:
            if len(self._waiting) + len(jobs) > self._limits.waiting:
                raise self._busy("too many images are waiting", "busy")
            self._waiting.extend(jobs)
            self._meters.waiting(len(self._waiting))
            self._changed.notify(len(jobs))

    def _work(self) -> None:
        while jobs := self._take():
            began = time.perf_counter()
            results: Sequence[Answer | Exception]
            try:
                results = jobs[0].model.answer([job.upload for job in jobs])
            except Exception as error:  # told to the request, which answers 500
                results = [error] * len(jobs)
            self._note(len(jobs), time.perf_counter() - began)
            for job, result in zip(jobs, results, strict=True):
                job.settle(result)

    def _take(self) -> list[_Job]:
        """The next images for one model, at least one; none when closed."""
        with self._changed:
            jobs: list[_Job] = []
            until: float | None = None
            while not self._closed and len(jobs) < self._max_batch:
                if self._waiting:
                    if jobs and self._waiting[0].model is not jobs[0].model:
                        break
                    job = self._waiting.popleft()
                    if self._still_wanted(job):
                        jobs.append(job)
                        until = until or time.perf_counter() + self._window
                    continue
                patience = None if until is None else until - time.perf_counter()
                if patience is not None and patience <= 0:
                    break
                self._changed.wait(patience)
            self._meters.waiting(len(self._waiting))
            return jobs

    def _still_wanted(self, job: _Job) -> bool:
        if job.future.done():
            return False
        if time.perf_counter() - job.upload.sent <= self._limits.deadline_seconds:
            return True
        job.settle(self._busy("the image waited too long", "deadline"))
        return False

    def _note(self, images: int, seconds: float) -> None:
        self._meters.batch(images)
        self._seconds_per_image += _NEWEST * (seconds / images - self._seconds_per_image)

    def _busy(self, why: str, reason: str) -> Problem:
        left = len(self._waiting) * self._seconds_per_image / len(self._threads)
        after = min(_LONGEST_RETRY_SECONDS, max(1, math.ceil(left)))
        return Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"{why}: try again", reason, after)

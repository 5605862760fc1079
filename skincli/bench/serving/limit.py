"""The least that answering could cost: decoding, resizing and the network in a bare loop.

One image after the other in each of some processes, from bytes in memory to logits: no HTTP, no
checks, no score. What the service costs beyond is its own.
"""

import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

import numpy as np
import onnxruntime as ort

from skincli.bench.bare import decode_into
from skincli.config.data import Crop

_PATIENCE: Final = 120.0


@dataclass(frozen=True, slots=True)
class Work:
    """Which images go through which network."""

    model: Path
    size: int
    crop: Crop
    files: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Pace:
    """What the processes did together; `latencies` in seconds per image."""

    images_per_second: float
    cpu_seconds: float
    latencies: list[float]


def bare_pace(work: Work, processes: int, seconds: float) -> Pace:
    """Run the loop in `processes` that begin together."""
    context = get_context("spawn")
    together = context.Barrier(processes)
    with ProcessPoolExecutor(processes, context, _begin, (together,)) as pool:
        done = list(pool.map(_loop, [work] * processes, [seconds] * processes))
    latencies = [latency for one, _, _ in done for latency in one]
    return Pace(
        sum(len(one) / elapsed for one, elapsed, _ in done),
        sum(cpu for _, _, cpu in done) / len(latencies),
        latencies,
    )


def _begin(together: Barrier) -> None:
    global _together  # noqa: PLW0603 - a pool hands its processes nothing else
    _together = together
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its pool


def _loop(work: Work, seconds: float) -> tuple[list[float], float, float]:
    """Seconds of each image, of all, and of the processor."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(work.model, options, providers=["CPUExecutionProvider"])
    pixels = np.zeros((1, work.size, work.size, 3), np.uint8)

    def answer(data: bytes) -> float:
        began = perf_counter()
        decode_into(pixels[0], data, work.size, work.crop)
        session.run(["logits"], {"images": pixels})
        return perf_counter() - began

    for data in work.files[:3]:
        answer(data)
    _together.wait(_PATIENCE)
    latencies: list[float] = []
    began, cpu, files = perf_counter(), process_time(), cycle(work.files)
    while not latencies or perf_counter() - began < seconds:
        latencies.append(answer(next(files)))
    return latencies, perf_counter() - began, process_time() - cpu


_together: Barrier

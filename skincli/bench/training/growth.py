"""What more images cost: training on 1, 4 and 16 times as many, each in a process of its own."""

import signal
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import torch

from skincli.bench.memory import watched_memory
from skincli.bench.records import TrainGrowth
from skincli.bench.training.clock import memory_errors
from skincli.bench.training.pipeline import run_pipeline
from skincli.bench.training.subject import MOST_TIMES, Pack
from skincli.config.schema import Config
from skincli.errors import SkincliError
from skincli.progress import Step
from skincli.training.device import choose_device
from skincli.training.input.cache import DeviceCache

FACTORS: Final = (1, 4, MOST_TIMES)
_SECONDS_TO_END: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Job:
    config: Config
    pack: Pack
    factor: int
    folder: Path


def measure_growth(
    config: Config, pack: Pack, folder: Path, progress: Step
) -> tuple[TrainGrowth, ...]:
    """An epoch of each size, with no image kept on the device. Raises SkincliError."""
    growth = []
    for factor in FACTORS:
        growth.append(_in_own_process(_Job(config, pack, factor, folder)))
        progress.advance(backbone=config.model.backbone)
    return tuple(growth)


def _in_own_process(job: _Job) -> TrainGrowth:
    """Memory that an earlier size took and gave back would hide what this one takes."""
    context = get_context("spawn")  # a fork has no GPU, and our own memory
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(job, sender), daemon=True)
    process.start()
    sender.close()
    try:
        answer = receiver.recv()
        process.join(_SECONDS_TO_END)
    except EOFError:
        process.join(_SECONDS_TO_END)
        raise SkincliError(
            f"training on {job.factor} times the images ended with code {process.exitcode}",
            "there may be too little memory: try a smaller data.batch_size",
        ) from None
    finally:
        process.kill()
        process.join()
    if isinstance(answer, SkincliError):
        raise answer
    assert isinstance(answer, TrainGrowth)
    return answer


def _work(job: _Job, sender: "Connection[TrainGrowth | SkincliError, None]") -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent, who gets it too, ends this process
    try:
        with memory_errors():
            sender.send(_grow(job))
    except SkincliError as error:
        sender.send(error)


def _grow(job: _Job) -> TrainGrowth:
    device = choose_device(job.config)
    count = job.factor * job.pack.n_images
    images = job.pack.images(count, job.config.task, DeviceCache(device, 0.0))
    seconds: list[float] = []
    with watched_memory() as peak:
        run_pipeline(job.config, images, 1, job.folder, seconds.append)
    on_device = torch.cuda.max_memory_allocated(device) / 1e6 if device.type == "cuda" else None
    trained = count // job.config.data.batch_size * job.config.data.batch_size
    return TrainGrowth(
        job.factor, count, seconds[0], trained / seconds[0], peak.bytes / 1e6, on_device
    )

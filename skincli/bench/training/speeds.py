"""All ways to train one backbone, round by round in turns: what disturbs one disturbs all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import torch

from skincli.bench.records import BackboneBench, WaySpeed
from skincli.bench.training.clock import timed, warm_up_steps
from skincli.bench.training.conventional import Loader, learn_from
from skincli.bench.training.pipeline import run_pipeline
from skincli.bench.training.step import BareStep, random_batch
from skincli.bench.training.subject import Pack, labels_of
from skincli.config.schema import Config
from skincli.progress import Step
from skincli.training.input.batches import Batch
from skincli.training.input.cache import DeviceCache

# Takes so many steps.
Way = Callable[[int], None]

PIPELINE: Final = "pipeline"


@dataclass(frozen=True, slots=True)
class Course:
    """What is trained on, `rounds` times `steps` steps of it, and where checkpoints may go."""

    pack: Pack
    loader: Loader
    rounds: int
    steps: int
    folder: Path
    device: torch.device


def measure_speeds(config: Config, course: Course, progress: Step) -> BackboneBench:
    """The best round of each way to train the configured backbone."""
    bare = _bare_step(config, course)
    ways = _ways(config, course, bare)
    for way in ways.values():
        way(warm_up_steps(course.steps))
    seconds: dict[str, list[float]] = {name: [] for name in (PIPELINE, *ways)}

    def on_round(pipeline: float) -> None:
        seconds[PIPELINE].append(pipeline)
        progress.advance(backbone=config.model.backbone)
        for name, way in ways.items():
            seconds[name].append(timed(course.device, partial(way, course.steps)))
            progress.advance()

    n_images = course.steps * config.data.batch_size
    cache = DeviceCache(course.device, config.data.device_cache)
    images = course.pack.images(n_images, config.task, cache)
    run_pipeline(config, images, course.rounds, course.folder, on_round)
    return BackboneBench(
        backbone=config.model.backbone,
        parameters=sum(weight.numel() for weight in bare.module.network.parameters()),
        **_speeds(seconds, n_images),
    )


def _ways(config: Config, course: Course, bare: BareStep) -> dict[str, Way]:
    """The ways besides this project's own, by the name of their field in the record."""
    last = config.trainer.channels_last
    layout = torch.channels_last if last else torch.contiguous_format
    other = replace(config, trainer=replace(config.trainer, channels_last=not last))
    return {
        "limit": partial(_repeat, bare, random_batch(config, course.device)),
        "conventional": partial(learn_from, course.loader, bare, layout),
        "other_layout": partial(
            _repeat, _bare_step(other, course), random_batch(other, course.device)
        ),
    }


def _bare_step(config: Config, course: Course) -> BareStep:
    labels = labels_of(np.arange(course.steps * config.data.batch_size), config.task)
    return BareStep(config, labels, course.steps, course.device)


def _repeat(bare: BareStep, batch: Batch, steps: int) -> None:
    for _ in range(steps):
        bare(batch)


def _speeds(seconds: Mapping[str, list[float]], n_images: int) -> dict[str, WaySpeed]:
    best = {name: n_images / min(rounds) for name, rounds in seconds.items()}
    return {name: WaySpeed(speed, speed / best["limit"]) for name, speed in best.items()}

"""The verb `bench train`: this pipeline, the compute limit and a DataLoader, in one run."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import torch

from skincli.bench.images import drawn_jpegs, given_jpegs
from skincli.bench.records import BackboneBench, TrainBench, TrainGrowth
from skincli.bench.training.clock import memory_errors
from skincli.bench.training.conventional import conventional_loader, ending_workers
from skincli.bench.training.growth import FACTORS, measure_growth
from skincli.bench.training.speeds import Course, measure_speeds
from skincli.bench.training.subject import lay_out_jpegs, pack_jpegs
from skincli.config.schema import Config
from skincli.errors import ConfigError
from skincli.imaging import Limits
from skincli.models.backbones import check_backbone
from skincli.progress import Progress, Step
from skincli.training.device import choose_device, choose_precision
from skincli.training.start import machine_name

_WAYS: Final = 4


def bench_train(
    config: Config,
    images: Sequence[Path],
    backbones: Sequence[str],
    most: int,
    rounds: int,
    steps: int,
    progress: Progress,
) -> TrainBench:
    """Train each of `backbones` in several ways at the configured settings. Nothing is kept.

    A round is an epoch of `steps` steps. `images` are folders, zip archives and JPEG files, of
    which `most` images are taken; without any, images are drawn. Weights are new ones, which cost
    what pretrained ones do. Raises ConfigError, DataError, SkincliError.
    """
    configs = [_measured(config, backbone) for backbone in backbones]
    device = choose_device(config)
    files = given_jpegs(images, Limits.of(config.image), most) if images else drawn_jpegs(most)
    speeds, growth = _measure(configs, files, rounds, steps, device, progress)
    return TrainBench(
        device=machine_name(config, device),
        precision=str(choose_precision(config, device)),
        channels_last=config.trainer.channels_last,
        compile=config.trainer.compile,
        synthetic=not images,
        n_images=len(files),
        mean_kilobytes=sum(map(len, files)) / len(files) / 1e3,
        image_size=config.data.image_size,
        batch_size=config.data.batch_size,
        augment=asdict(config.augment),
        rounds=rounds,
        steps=steps,
        backbones=speeds,
        growth=growth,
    )


def _measured(config: Config, backbone: str) -> Config:
    """The config with another backbone, and without what is no part of a plain step."""
    if config.trainer.processes > 1:
        raise ConfigError("one device is measured at a time", "set trainer.devices=1")
    if config.train.mode == "probe":
        raise ConfigError("train.mode=probe takes no steps to measure", "set train.mode=full")
    model = replace(config.model, backbone=backbone, pretrained=False, weights=None)
    check_backbone(model)
    return replace(config, model=model, train=replace(config.train, frozen_epochs=0))


def _measure(
    configs: Sequence[Config],
    files: Sequence[bytes],
    rounds: int,
    steps: int,
    device: torch.device,
    progress: Progress,
) -> tuple[tuple[BackboneBench, ...], tuple[TrainGrowth, ...]]:
    """Speeds of all configs, which differ in their backbones, and growth of the first."""
    first, total = configs[0], len(configs) * rounds * _WAYS + len(FACTORS)
    with TemporaryDirectory(prefix="skincli-bench-") as name, memory_errors():
        folder = Path(name)
        jpegs = lay_out_jpegs(folder, files, first.task)
        pack = pack_jpegs(folder, jpegs, first, progress)
        loader = conventional_loader(first, jpegs, steps, device)
        course = Course(pack, loader, rounds, steps, folder, device)
        with progress.step("Measuring", total) as step:
            with ending_workers(loader):
                speeds = tuple(_speeds(config, course, step) for config in configs)
            return speeds, measure_growth(first, pack, folder, step)


def _speeds(config: Config, course: Course, progress: Step) -> BackboneBench:
    result = measure_speeds(config, course, progress)
    if config.trainer.compile:
        torch.compiler.reset()  # it compiles so many networks and no more
    if course.device.type == "cuda":
        torch.cuda.empty_cache()
    return result

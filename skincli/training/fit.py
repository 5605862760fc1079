"""The Lightning Trainer on the packed set: from rows to the weights that are kept."""

from dataclasses import dataclass
from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import torch
from numpy.typing import NDArray

from skincli.config.schema import Config
from skincli.data import Part, PreparedSet
from skincli.errors import SkincliError
from skincli.models.backbones import build_backbone
from skincli.models.network import Network
from skincli.progress import Progress
from skincli.taxonomy import classes_of
from skincli.tracking.run_folder import RunFolder
from skincli.training.averaging import RunningMean
from skincli.training.checkpoints import (
    LAST,
    MONITOR,
    AtomicFiles,
    BestCheckpoint,
    LastCheckpoint,
)
from skincli.training.device import new_trainer, quiet_lightning
from skincli.training.epochs import EpochReport, OnEpoch, Repeatable
from skincli.training.input.batches import PlainBatches, TrainBatches
from skincli.training.input.cache import DeviceCache
from skincli.training.input.labelled import LabelledImages
from skincli.training.interruption import Interruption
from skincli.training.module import LesionModule
from skincli.training.patience import Patience
from skincli.training.running import run_trainer


@dataclass(frozen=True, slots=True)
class Fitted:
    """The network with the weights that were kept, and the epoch they come from."""

    network: Network
    epoch: int
    balanced_accuracy: float


def build_network(config: Config) -> Network:
    """The configured network; its new weights are a function of `seed`."""
    torch.manual_seed(config.seed)
    n_classes = len(classes_of(config.task))
    network = Network(build_backbone(config.model), n_classes, config.model.dropout)
    if config.trainer.channels_last:
        network = network.to(memory_format=torch.channels_last)
    if config.trainer.compile:
        network.compile()
    return network


def fit(
    config: Config,
    prepared: PreparedSet,
    network: Network,
    folder: RunFolder,
    device: torch.device,
    progress: Progress,
    on_epoch: OnEpoch,
    *,
    rank: int,
    resume: bool,
) -> None:
    """Train `network`, alone or as one of several processes. Raises SkincliError, Interrupted.

    `kept` has the weights; a run that was killed before its first checkpoint begins again.
    """
    interruption = Interruption()
    train, validation = _batches(config, prepared, device, rank)
    learned = prepared.labels(config.task)[prepared.rows("train")]  # by all processes
    module = new_module(config, network, learned, len(train))
    last = folder.checkpoints / LAST
    checkpoint = last if resume and last.is_file() else None
    total = config.trainer.max_epochs * len(train) - _steps_done(checkpoint)
    with progress.step("Training", max(1, total)) as step, quiet_lightning():
        report = EpochReport(step, train.images_per_step, on_epoch)
        steps = step_callbacks(config, train, report, interruption, folder.checkpoints)
        # `last.ckpt` comes after the best one, whose score it holds.
        best = [BestCheckpoint(folder.checkpoints)] if config.checkpoint.keep == "best" else []
        files = AtomicFiles(progress)
        trainer = new_trainer(
            config,
            device,
            callbacks=[*best, *steps],
            plugins=[files],
            default_root_dir=folder.path,
        )
        with interruption.listening():
            run_trainer(trainer, module, train, validation, checkpoint, interruption)
        files.write_held()


def _steps_done(checkpoint: Path | None) -> int:
    if checkpoint is None:
        return 0
    # Mapped, its weights are not read.
    return int(torch.load(checkpoint, mmap=True, weights_only=False)["global_step"])


def kept(config: Config, network: Network, folder: RunFolder) -> Fitted:
    """Give `network` the weights that are kept. Raises SkincliError when there are none."""
    path = folder.checkpoints / f"{config.checkpoint.keep}.ckpt"
    if not path.is_file():
        raise SkincliError(
            "no weights are left of this training: no checkpoint could be written",
            "make room on the disk, then `skincli train --resume`",
        )
    # Our own checkpoint, written moments or a resume ago into our own run folder.
    saved = torch.load(path, map_location="cpu", weights_only=False)
    prefix = "network."
    network.load_state_dict(
        {k.removeprefix(prefix): v for k, v in saved["state_dict"].items() if k.startswith(prefix)}
    )
    epoch = int(saved["epoch"])
    reached = {int(row["epoch"]): row[MONITOR] for row in folder.read_metrics()}
    return Fitted(network.eval(), epoch, reached.get(epoch, float("nan")))


def _batches(
    config: Config, prepared: PreparedSet, device: torch.device, rank: int
) -> tuple[TrainBatches, PlainBatches]:
    data, world = config.data, config.trainer.processes
    labels, cache = prepared.labels(config.task), DeviceCache(device, data.device_cache)

    def images(part: Part) -> LabelledImages:
        rows = prepared.rows(part)
        return LabelledImages(prepared.images, rows, labels[rows], cache)

    train = train_batches(config, images("train"), rank)
    validation = PlainBatches(
        images("validation"), data.batch_size // world, rank, world, config.trainer.channels_last
    )
    return train, validation


def train_batches(config: Config, images: LabelledImages, rank: int) -> TrainBatches:
    """The share of one process of what is learned from."""
    return TrainBatches(
        images,
        config.augment,
        len(classes_of(config.task)),
        config.data.batch_size,
        config.seed,
        rank,
        config.trainer.processes,
        config.trainer.channels_last,
    )


def new_module(
    config: Config, network: Network, labels: NDArray[np.int64], steps_per_epoch: int
) -> LesionModule:
    """The step of training; `labels [N]` are those of all that is learned from."""
    classes = classes_of(config.task)
    return LesionModule(
        network,
        config.loss,
        config.optimizer,
        classes=classes,
        class_counts=np.bincount(labels, minlength=len(classes)).tolist(),
        decision_power=config.calibration.decision_power,
        steps_per_epoch=steps_per_epoch,
        max_epochs=config.trainer.max_epochs,
        frozen_epochs=config.train.frozen_epochs,
    )


def step_callbacks(
    config: Config,
    train: TrainBatches,
    report: EpochReport,
    interruption: Interruption,
    checkpoints: Path,
) -> list[pl.Callback]:
    """All that has a part in a step of training."""
    return [
        Repeatable(train, config.seed),
        report,
        *_optional(config, len(train)),
        LastCheckpoint(checkpoints, config.checkpoint.every, report, interruption),
    ]


def _optional(config: Config, steps_per_epoch: int) -> list[pl.Callback]:
    callbacks: list[pl.Callback] = []
    if config.optimizer.ema_epochs:
        callbacks.append(RunningMean(config.optimizer.ema_epochs * steps_per_epoch))
    if config.trainer.patience:
        callbacks.append(Patience(config.trainer.patience))
    return callbacks

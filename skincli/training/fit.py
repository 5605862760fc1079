"""The Lightning Trainer on the packed set: from rows to the weights that are kept."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher
from lightning.pytorch.utilities.exceptions import SIGTERMException
from numpy.typing import NDArray

from skincli.config.schema import Config
from skincli.data import Part, PreparedSet
from skincli.errors import Interrupted, SkincliError
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
    EpochCheckpoints,
    Interruption,
    TimedCheckpoints,
)
from skincli.training.device import new_trainer, quiet_lightning
from skincli.training.epochs import EpochReport, OnEpoch, Repeatable
from skincli.training.input.batches import PlainBatches, TrainBatches
from skincli.training.input.cache import DeviceCache
from skincli.training.input.labelled import LabelledImages
from skincli.training.module import LesionModule


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
) -> Fitted:
    """Train, alone or as one of several processes. Raises SkincliError, Interrupted."""
    interruption = Interruption(folder.checkpoints)
    alone = config.trainer.processes == 1
    train, validation = _batches(config, prepared, device, rank)
    learned = prepared.labels(config.task)[prepared.rows("train")]  # by all processes
    module = new_module(config, network, learned, len(train))
    done = len(folder.read_metrics()) if resume else 0
    total = (config.trainer.max_epochs - done) * len(train)
    with progress.step("Training", max(1, total)) as step, quiet_lightning():
        report = EpochReport(step, train.images_per_step, on_epoch)
        epochs = EpochCheckpoints(folder.checkpoints, config.checkpoint.keep)
        steps = step_callbacks(config, train, report, interruption, folder.checkpoints)
        trainer = new_trainer(
            config,
            device,
            callbacks=[*steps, epochs],
            plugins=[AtomicFiles(progress)],
            default_root_dir=folder.path,
        )
        with interruption.listening(alone):
            last = folder.checkpoints / LAST if resume else None
            _run(trainer, module, train, validation, last, interruption)
    return _kept(config, epochs, module, folder)


def _run(
    trainer: pl.Trainer,
    module: LesionModule,
    train: TrainBatches,
    validation: PlainBatches,
    last: Path | None,
    interruption: Interruption,
) -> None:
    try:
        trainer.fit(module, train, validation, ckpt_path=last, weights_only=False)
    except torch.OutOfMemoryError as error:
        raise SkincliError(
            f"the GPU's memory is full: {error}", "try a smaller data.batch_size"
        ) from error
    except SIGTERMException:
        if interruption.number is None:  # another process was told, and tells of it
            raise
        raise Interrupted(interruption.number) from None
    except BaseException:
        launcher = trainer.strategy.launcher
        if isinstance(launcher, _SubprocessScriptLauncher):
            with suppress(OSError):
                launcher.kill(9)  # they would wait for this process for half an hour
        raise


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
        interruption,
        TimedCheckpoints(checkpoints, config.checkpoint.every, report),
    ]


def _optional(config: Config, steps_per_epoch: int) -> list[pl.Callback]:
    callbacks: list[pl.Callback] = []
    if config.optimizer.ema_epochs:
        callbacks.append(RunningMean(config.optimizer.ema_epochs * steps_per_epoch))
    if config.trainer.patience:
        callbacks.append(EarlyStopping(MONITOR, mode="max", patience=config.trainer.patience))
    return callbacks


def _kept(
    config: Config, epochs: EpochCheckpoints, module: LesionModule, folder: RunFolder
) -> Fitted:
    path = folder.checkpoints / f"{config.checkpoint.keep}.ckpt"
    if not path.is_file():
        raise SkincliError(
            "training ended without a checkpoint", "raise trainer.max_epochs, or free some disk"
        )
    # Our own checkpoint, written moments or a resume ago into our own run folder.
    saved = torch.load(path, map_location="cpu", weights_only=False)
    module.load_state_dict(saved["state_dict"])
    epoch = int(saved["epoch"])
    reached = {int(row["epoch"]): row[MONITOR] for row in folder.read_metrics()}
    return Fitted(module.network.eval(), epoch, reached.get(epoch, float("nan")))

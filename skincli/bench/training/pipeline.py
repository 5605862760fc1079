"""The pipeline of this project: epochs of `train` itself, with a clock around their steps."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from skincli.bench.training.clock import now, warm_up_steps
from skincli.config.schema import Config
from skincli.progress import Silent
from skincli.training.checkpoints import AtomicFiles
from skincli.training.device import new_trainer, quiet_lightning
from skincli.training.epochs import EpochReport
from skincli.training.fit import build_network, new_module, step_callbacks, train_batches
from skincli.training.input.labelled import LabelledImages
from skincli.training.interruption import Interruption

OnRound = Callable[[float], None]


def run_pipeline(
    config: Config,
    images: LabelledImages,
    rounds: int,
    folder: Path,
    on_round: OnRound,
) -> None:
    """Train as `fit` does: a few steps to warm up, then an epoch of all images for each round.

    `on_round` is told the seconds that the steps of an epoch took, what is drawn at its start
    included. Validation and the checkpoints of an epoch are left out.
    """
    # Patience would ask for a validation.
    trainer_config = replace(config.trainer, max_epochs=1 + rounds, patience=0)
    config = replace(config, trainer=trainer_config)
    device = images.cache.device
    train = train_batches(config, images, rank=0)
    module = new_module(config, build_network(config), images.labels, len(train))
    # As if most of the first epoch had been done before.
    train.load_state_dict({"epoch": 0, "done": len(train) - warm_up_steps(len(train))})
    with Silent().step("", 0) as step, quiet_lightning():
        report = EpochReport(step, train.images_per_step, _nobody)
        steps = step_callbacks(config, train, report, Interruption(), folder)
        trainer = new_trainer(
            config,
            device,
            callbacks=[*steps, _Rounds(device, on_round)],
            plugins=[AtomicFiles(Silent())],
            default_root_dir=folder,
            limit_val_batches=0,
        )
        # Lightning warns of a module that could validate and has nothing to do it on.
        trainer.fit(module, train, train)


class _Rounds(pl.Callback):
    """Times the steps of each epoch but the first. Comes last, so that all others are in it."""

    def __init__(self, device: torch.device, on_round: OnRound) -> None:
        self._device, self._on_round = device, on_round
        self._began = self._seconds = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._began = now(self._device)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        if trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            self._seconds = now(self._device) - self._began

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.current_epoch > 0:
            self._on_round(self._seconds)


def _nobody(_epoch: int, _figures: Mapping[str, float]) -> None:
    """The figures of an epoch are not wanted here."""

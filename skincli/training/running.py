"""Running Lightning's Trainer so that whatever ends it ends all processes, and is told as it is."""

from pathlib import Path

import lightning.pytorch as pl
import torch
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher

from skincli.errors import Interrupted, SkincliError
from skincli.training.input.batches import PlainBatches, TrainBatches
from skincli.training.interruption import Interruption
from skincli.training.module import LesionModule


def run_trainer(
    trainer: pl.Trainer,
    module: LesionModule,
    train: TrainBatches,
    validation: PlainBatches,
    checkpoint: Path | None,
    interruption: Interruption,
) -> None:
    """Train, from `checkpoint` on if there is one. Raises SkincliError, Interrupted."""
    try:
        trainer.fit(module, train, validation, ckpt_path=checkpoint, weights_only=False)
    except BaseException as error:
        _end_the_others(trainer)
        told = _told(error, trainer.world_size, interruption.number)
        if told is None:
            raise
        raise told from error


def _told(error: BaseException, world_size: int, number: int) -> BaseException | None:
    """What to raise instead of an error; None for itself."""
    if isinstance(error, torch.OutOfMemoryError):
        return SkincliError(f"the GPU's memory is full: {error}", "try a smaller data.batch_size")
    if world_size == 1 or not _is_of_the_others(error):
        return None
    if number:  # the others were told as well, and went first
        return Interrupted(number)
    return SkincliError(
        f"another of the {world_size} processes that train together ended or does not answer",
        "it says above why; `skincli train --resume` goes on from the last checkpoint",
    )


def _is_of_the_others(error: BaseException) -> bool:
    """Whether it is the network that failed; gloo has no class of errors of its own."""
    return isinstance(error, torch.distributed.DistError) or (
        isinstance(error, RuntimeError) and "gloo" in str(error)
    )


def _end_the_others(trainer: pl.Trainer) -> None:
    """They would wait for this process; those that torchrun or SLURM started are theirs to end."""
    launcher = trainer.strategy.launcher
    if not isinstance(launcher, _SubprocessScriptLauncher):
        return
    others = list(launcher.procs)
    launcher.procs.clear()  # or Lightning's watcher kills this process because they end
    for process in others:
        process.kill()
        process.wait()

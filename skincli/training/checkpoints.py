"""What is kept on disk while training goes on, and how a signal ends it."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any, Final, Literal

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.utilities.exceptions import SIGTERMException

from skincli.errors import Interrupted
from skincli.progress import Progress
from skincli.training.epochs import EpochReport

MONITOR: Final = "validation_balanced_accuracy"
LAST: Final = "last.ckpt"
_LEAST_FREE: Final = 1_000_000
# Ranks must save together, and agreeing makes the device wait: they agree only so often.
_STEPS_BETWEEN_AGREEMENTS: Final = 16


class AtomicFiles(TorchCheckpointIO):
    """Writes beside and renames, so that a kill leaves the checkpoint before.

    A full disk costs a checkpoint, not the training.
    """

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(target.name + ".partial")
        try:
            with partial.open("wb") as stream:
                torch.save(checkpoint, stream)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(target)
        except (OSError, RuntimeError) as error:  # torch reports a failed write as RuntimeError
            partial.unlink(missing_ok=True)
            if not isinstance(error, OSError) and not _disk_is_full(target.parent):
                raise
            self.progress.warn(
                f"no checkpoint was written to `{target}`: {error}; training goes on, the next "
                "one is tried in time"
            )


class EpochCheckpoints(ModelCheckpoint):
    """`last.ckpt` after every epoch and, with `keep=best`, `best.ckpt` by validation."""

    def __init__(self, folder: Path, keep: Literal["best", "last"]) -> None:
        best = keep == "best"
        super().__init__(
            dirpath=folder,
            filename=keep,
            monitor=MONITOR if best else None,
            mode="max",
            save_last=best,
            enable_version_counter=False,
        )


class TimedCheckpoints(ModelCheckpoint):
    """`last.ckpt` every so many seconds, in the middle of an epoch too."""

    def __init__(self, folder: Path, every: float, report: EpochReport) -> None:
        super().__init__(
            dirpath=folder,
            filename="last",
            train_time_interval=timedelta(seconds=every),
            enable_version_counter=False,
        )
        self.report = report

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *arguments: Any
    ) -> None:
        progress = trainer.fit_loop.epoch_loop.batch_progress
        if progress.is_last_batch:
            return  # validation comes first, and with it the epoch's own checkpoint
        if trainer.world_size == 1 or progress.current.ready % _STEPS_BETWEEN_AGREEMENTS == 0:
            super().on_train_batch_end(trainer, pl_module, *arguments)

    def _save_checkpoint(self, trainer: pl.Trainer, filepath: str) -> None:
        self.report.require_finite(trainer)
        super()._save_checkpoint(trainer, filepath)


class Interruption(pl.Callback):
    """Saves and raises Interrupted at the end of the step in which a signal came.

    A signal that raises where it strikes would leave weights and schedule at odds. Of several
    processes the first decides, through the word that Lightning passes round before each step.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number: int | None = None

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        last = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
        if self.number is not None and trainer.world_size == 1 and not last:
            trainer.save_checkpoint(self.folder / LAST)
            raise Interrupted(self.number)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The last checkpoint is that of this epoch's validation."""
        if self.number is not None and trainer.world_size == 1:
            raise Interrupted(self.number)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        if isinstance(exception, SIGTERMException) and trainer.world_size > 1:
            trainer.save_checkpoint(self.folder / LAST)

    @contextmanager
    def listening(self, alone: bool) -> Iterator[None]:
        """Take Ctrl-C and SIGTERM down instead of raising at once; a second one raises."""
        before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}

        def take_down(number: int, frame: FrameType | None) -> None:
            if self.number is not None and alone:
                raise Interrupted(number)
            self.number = self.number or number
            if number == signal.SIGINT and not alone:
                signal.raise_signal(signal.SIGTERM)  # the signal that Lightning passes round

        for number in before:
            signal.signal(number, take_down)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _disk_is_full(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < _LEAST_FREE

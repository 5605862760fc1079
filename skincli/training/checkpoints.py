"""What is kept on disk while training goes on, and how a signal ends it."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from skincli.errors import Interrupted
from skincli.progress import Progress
from skincli.training.epochs import EpochReport
from skincli.training.interruption import Interruption

MONITOR: Final = "validation_balanced_accuracy"
LAST: Final = "last.ckpt"
# Agreeing makes a GPU wait: processes that train together do so only every so many steps.
_STEPS_BETWEEN_AGREEMENTS: Final = 16


class AtomicFiles(TorchCheckpointIO):
    """Writes beside and renames, so that a kill leaves the checkpoint before.

    A full disk costs a checkpoint, not the training. Only weights that no later checkpoint will
    have again are held until there is room for them, and `last.ckpt`, which takes them for
    written, waits for that too.
    """

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress
        self._held: dict[Path, dict[str, Any]] = {}

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        target = Path(path)
        self._held.pop(target, None)
        if self.write_held() and self._write(checkpoint, target):
            return
        if target.name != LAST:
            self._held[target] = _weights(checkpoint)

    def write_held(self) -> bool:
        """Write what there was no room for. Returns whether nothing is left."""
        for target, checkpoint in list(self._held.items()):
            if not self._write(checkpoint, target):
                return False
            del self._held[target]
        return True

    def _write(self, checkpoint: dict[str, Any], target: Path) -> bool:
        partial = target.with_name(target.name + ".partial")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as stream:
                torch.save(checkpoint, stream)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(target)
        except (OSError, RuntimeError) as error:
            reason = _failed_write(error)
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            if reason is None:
                raise
            self.progress.warn(
                f"no checkpoint was written to `{target}`: {reason.strerror or reason}; training "
                "goes on, and it is tried again in time"
            )
            return False
        return True


def _weights(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """A copy of what is exported, for the originals go on learning."""
    weights = {k: v.to("cpu", copy=True) for k, v in checkpoint["state_dict"].items()}
    return {"epoch": checkpoint["epoch"], "state_dict": weights}


def _failed_write(error: BaseException) -> OSError | None:
    """The OSError behind an error, for torch closes a file that it could not write with another."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, OSError):
        found = found.__cause__ or found.__context__
    return found


class BestCheckpoint(ModelCheckpoint):
    """`best.ckpt` by validation."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            dirpath=folder,
            filename="best",
            monitor=MONITOR,
            mode="max",
            enable_version_counter=False,
            save_on_train_epoch_end=True,  # after the epoch's figures were recorded
        )


class LastCheckpoint(Checkpoint):
    """`last.ckpt`, from which `--resume` goes on: in time, on a signal, and at the end.

    On a signal it raises Interrupted once it has saved. Processes that train together do both in
    the same step, whichever of them was told.
    """

    def __init__(
        self, folder: Path, every: float, report: EpochReport, interruption: Interruption
    ) -> None:
        """`every`: the seconds of work that a kill may cost."""
        self.path = folder / LAST
        self.every = every
        self.report = report
        self.interruption = interruption
        self._saved = self._chance = self._longest = 0.0
        self._validated = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._saved = self._chance = time.monotonic()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        batches = trainer.fit_loop.epoch_loop.batch_progress
        if batches.is_last_batch:
            return  # what is saved here would go on without the validation that is due
        if trainer.world_size > 1 and batches.current.ready % _STEPS_BETWEEN_AGREEMENTS:
            return
        number, due = _agree(trainer, self.interruption.number, int(self._is_due()))
        if number or due:
            self._save(trainer)
        if number:
            raise Interrupted(number)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._validated = True

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Lightning calls this after the validation and the other callbacks."""
        [number] = _agree(trainer, self.interruption.number)
        assert trainer.max_epochs is not None
        is_last = trainer.should_stop or trainer.current_epoch + 1 >= trainer.max_epochs
        if number or is_last:
            self._save(trainer)
        if number:
            raise Interrupted(number)

    def _is_due(self) -> bool:
        """Whether a kill just before the next chance to save might cost more than it may."""
        now = time.monotonic()
        self._longest = max(self._longest, now - self._chance)
        self._chance = now
        # The longest way to that goes through a validation. How long that takes is not known
        # before the first, and much longer than half the time would mean to save all the time.
        ahead = min(self._longest, self.every / 2) if self._validated else self.every / 2
        return now - self._saved + ahead >= self.every

    def _save(self, trainer: pl.Trainer) -> None:
        self.report.settle(trainer)
        trainer.save_checkpoint(self.path)
        self._saved = time.monotonic()


def _agree(trainer: pl.Trainer, *own: int) -> list[int]:
    """The largest of what each process says."""
    if trainer.world_size == 1:
        return list(own)
    said = torch.tensor(own, device=trainer.strategy.root_device)
    torch.distributed.all_reduce(said, torch.distributed.ReduceOp.MAX)
    agreed: list[int] = said.tolist()
    return agreed

"""What happens around an epoch: figures to the recorder and to whoever watches."""

import time
from typing import Any

import lightning.pytorch as pl
import torch

from skincli.errors import SkincliError
from skincli.progress import Step
from skincli.tracking.runs import RunRecorder
from skincli.training.input.batches import TrainBatches

# A look at the loss makes the device wait, so the watcher gets one only this often.
_SECONDS_BETWEEN_LOOKS = 0.5


class EpochReport(pl.Callback):
    """Tells the batches which epoch it is, and records each epoch once."""

    def __init__(self, recorder: RunRecorder, step: Step, batches: TrainBatches) -> None:
        self.recorder = recorder
        self.step = step
        self.batches = batches
        self._loss = torch.zeros(())
        self._began = self._looked = 0.0
        self._images = self._unreported = 0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.batches.epoch = trainer.current_epoch
        # Dropout as a function of (seed, epoch) too, so that a resumed run repeats itself.
        torch.manual_seed(self.batches.seed * 100_003 + trainer.current_epoch)
        self._loss = torch.zeros((), device=pl_module.device)
        self._began = self._looked = time.monotonic()
        self._images = 0

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, _: int
    ) -> None:
        loss = outputs["loss"].detach()
        self._loss += loss
        self._images += len(batch[1])
        self._unreported += 1
        now = time.monotonic()
        if now - self._looked >= _SECONDS_BETWEEN_LOOKS:
            self._looked = now
            self._show(trainer, loss=f"{loss.item():.3f}")

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        score = trainer.callback_metrics["validation_balanced_accuracy"].item()
        self._show(trainer, balanced_accuracy=f"{score:.3f}")

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Lightning calls this after the validation of the epoch."""
        if not torch.isfinite(self._loss):
            raise SkincliError(
                f"the loss is not a finite number in epoch {trainer.current_epoch + 1}",
                "lower `optimizer.lr`",
            )
        measured = {name: value.item() for name, value in trainer.callback_metrics.items()}
        figures = {
            "train_loss": self._loss.item() / max(1, len(self.batches)),
            **measured,
            "learning_rate": trainer.optimizers[0].param_groups[0]["lr"],
            "images_per_second": self._images / (time.monotonic() - self._began),
        }
        self.recorder.metrics(figures, trainer.current_epoch)

    def _show(self, trainer: pl.Trainer, **facts: str) -> None:
        speed = self._images / max(1e-9, time.monotonic() - self._began)
        epoch = f"{trainer.current_epoch + 1}/{trainer.max_epochs}"
        self.step.advance(self._unreported, epoch=epoch, **facts, images_per_second=f"{speed:,.0f}")
        self._unreported = 0

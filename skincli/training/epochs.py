"""What happens around an epoch: randomness set, figures to the recorder and to whoever watches."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import lightning.pytorch as pl
import torch

from skincli.errors import SkincliError
from skincli.progress import Step
from skincli.training.input.batches import TrainBatches

OnEpoch = Callable[[int, Mapping[str, float]], None]

# A look at the loss makes the device wait, so the watcher gets one only this often.
_SECONDS_BETWEEN_LOOKS: Final = 0.5


class Repeatable(pl.Callback):
    """Makes order, augmentation and dropout functions of (seed, epoch, step, rank) alone."""

    def __init__(self, batches: TrainBatches, seed: int) -> None:
        self.batches = batches
        self.seed = seed

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.batches.epoch = trainer.current_epoch

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step * trainer.world_size + trainer.global_rank
        seed = (self.seed * 1_000_000_007 + step) % 2**63
        # `torch.manual_seed` also looks for devices of other makers, which takes longer than all
        # that is done here besides.
        torch.default_generator.manual_seed(seed)
        if pl_module.device.type == "cuda":
            torch.cuda.manual_seed(seed)


class EpochReport(pl.Callback):
    """Sums the loss on the device, shows it now and then, and hands out each epoch once."""

    def __init__(self, step: Step, images_per_step: int, on_epoch: OnEpoch) -> None:
        self.step = step
        self.images_per_step = images_per_step
        self.on_epoch = on_epoch
        self._loss = torch.zeros(())
        self._steps = self._unreported = 0
        self._seconds = self._began = self._looked = 0.0

    def state_dict(self) -> dict[str, Any]:
        """An epoch that is cut off and resumed is reported as one."""
        return {
            "loss": self._loss.item(),
            "steps": self._steps,
            "seconds": self._seconds + time.monotonic() - self._began,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._loss = torch.tensor(state_dict["loss"])
        self._steps = state_dict["steps"]
        self._seconds = state_dict["seconds"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._loss = self._loss.to(pl_module.device)
        self._began = self._looked = time.monotonic()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._loss.zero_()
        self._steps, self._seconds = 0, 0.0
        self._began = self._looked = time.monotonic()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, _: int
    ) -> None:
        self._loss += outputs["loss"].detach()
        self._steps += 1
        self._unreported += 1
        now = time.monotonic()
        # One process looks, at its own loss: the others do not wait for it here.
        if trainer.is_global_zero and now - self._looked >= _SECONDS_BETWEEN_LOOKS:
            self._looked = now
            self._require_finite(trainer)
            self._show(trainer, loss=f"{self._loss.item() / self._steps:.3f}")

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Lightning calls this after the validation of the epoch."""
        self.settle(trainer)
        seconds = self._elapsed()
        figures = {
            "train_loss": self._loss.item() / self._steps,
            **{name: value.item() for name, value in trainer.callback_metrics.items()},
            "learning_rate": max(g["lr"] for g in trainer.optimizers[0].param_groups),
            "images_per_second": self._steps * self.images_per_step / seconds,
            "seconds": seconds,
        }
        self._show(trainer)
        self.on_epoch(trainer.current_epoch, figures)

    def settle(self, trainer: pl.Trainer) -> None:
        """Take the losses of all processes together, so that each can go on from their mean.

        Raises SkincliError, in all of them, when one is no number.
        """
        self._loss = trainer.strategy.reduce(self._loss, reduce_op="mean")
        self._require_finite(trainer)

    def _require_finite(self, trainer: pl.Trainer) -> None:
        if not math.isfinite(self._loss.item()):
            raise SkincliError(
                f"the loss is not a finite number in epoch {trainer.current_epoch + 1}",
                "lower `optimizer.lr`",
            )

    def _elapsed(self) -> float:
        """Seconds of this epoch, those before a resume included."""
        return max(1e-9, self._seconds + time.monotonic() - self._began)

    def _show(self, trainer: pl.Trainer, **facts: str) -> None:
        speed = self._steps * self.images_per_step / self._elapsed()
        epoch = f"{trainer.current_epoch + 1}/{trainer.max_epochs}"
        self.step.advance(self._unreported, epoch=epoch, **facts, images_per_second=f"{speed:,.0f}")
        self._unreported = 0

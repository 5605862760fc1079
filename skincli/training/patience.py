"""Ending a training that gets no better."""

from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import EarlyStopping

from skincli.training.checkpoints import MONITOR


class Patience(EarlyStopping):
    """Early stopping that a resume neither forgets nor holds to an old `trainer.patience`."""

    def __init__(self, patience: int) -> None:
        super().__init__(MONITOR, mode="max", patience=patience)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict | {"patience": self.patience})

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A run that was killed after its last epoch has no other to train."""
        trainer.should_stop = trainer.should_stop or self.wait_count >= self.patience

"""The LightningModule: loss, optimizer and schedule, and the metrics of an epoch."""

import math

import lightning.pytorch as pl
import torch
from torch import nn
from torchmetrics.classification import MulticlassRecall

from skincli.config.training import LossConfig, OptimizerConfig
from skincli.models.network import Network

Batch = tuple[torch.Tensor, torch.Tensor]


class LesionModule(pl.LightningModule):
    """Trains `network` on batches of float images `[B, 3, S, S]` in [0, 1] and labels `[B]`."""

    def __init__(
        self,
        network: Network,
        loss: LossConfig,
        optimizer: OptimizerConfig,
        class_counts: list[int],
        total_steps: int,
    ) -> None:
        super().__init__()
        self.network = network
        self.optimizer_config = optimizer
        self.total_steps = total_steps
        weights = class_weights(class_counts, loss.class_weight_power)
        self.train_loss = nn.CrossEntropyLoss(weights, label_smoothing=loss.label_smoothing)
        self.validation_loss = nn.CrossEntropyLoss(weights)
        self.balanced_accuracy = MulticlassRecall(len(class_counts), average="macro")

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        images, labels = batch
        loss: torch.Tensor = self.train_loss(self.network(images), labels)
        return loss

    def validation_step(self, batch: Batch, _: int) -> None:
        images, labels = batch
        logits = self.network(images)
        self.balanced_accuracy.update(logits, labels)
        loss = self.validation_loss(logits, labels)
        self.log("validation_loss", loss, on_epoch=True, batch_size=len(labels))

    def on_validation_epoch_end(self) -> None:
        self.log("validation_balanced_accuracy", self.balanced_accuracy.compute())
        self.balanced_accuracy.reset()

    def configure_optimizers(self) -> dict[str, object]:  # type: ignore[override]
        config = self.optimizer_config
        optimizer = torch.optim.AdamW(
            parameter_groups(self.network, config.weight_decay), lr=config.lr, fused=True
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: schedule_at(step, self.total_steps, config.warmup_fraction)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def class_weights(counts: list[int], power: float) -> torch.Tensor:
    """Weights `[C]`, proportional to frequency to minus `power`, of mean 1 over the images.

    A class without images gets weight 0.
    """
    frequency = torch.tensor(counts, dtype=torch.float64) / sum(counts)
    raw = torch.where(frequency > 0, frequency.clamp_min(1e-12) ** -power, 0.0)
    return (raw / (raw * frequency).sum()).to(torch.float32)


def schedule_at(step: int, total_steps: int, warmup_fraction: float) -> float:
    """Factor on the learning rate: linear warm-up, then a half cosine to 0 (arXiv:1608.03983)."""
    warmup = max(1, round(total_steps * warmup_fraction))
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, total_steps - warmup))
    return 0.5 * (1 + math.cos(math.pi * progress))


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Decay matrices and kernels only; norms and biases are left alone."""
    trained = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]

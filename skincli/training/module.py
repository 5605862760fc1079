"""The LightningModule: loss, optimizer and schedule, and the validation figures of an epoch."""

import math

import lightning.pytorch as pl
import numpy as np
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torchmetrics.utilities.distributed import gather_all_tensors

from skincli.config.training import LossConfig, OptimizerConfig
from skincli.evaluation.metrics import compute_metrics
from skincli.inference.engine import decide, malignant_probability, softmax
from skincli.models.network import Network
from skincli.models.parameters import freeze_backbone, parameter_groups
from skincli.taxonomy import ClassInfo
from skincli.training.input.batches import Batch


class LesionModule(pl.LightningModule):
    """Trains `network` on images `[B, 3, S, S]` in [0, 1] and soft targets `[B, C]`.

    Batches of validation carry labels `[B]` instead. Its figures are those of `evaluate`, taken
    over the images of all ranks.
    """

    def __init__(
        self,
        network: Network,
        loss: LossConfig,
        optimizer: OptimizerConfig,
        classes: tuple[ClassInfo, ...],
        class_counts: list[int],
        decision_power: float,
        steps_per_epoch: int,
        max_epochs: int,
        frozen_epochs: int = 0,
    ) -> None:
        super().__init__()
        self.network = network
        self.optimizer_config = optimizer
        self.classes = classes
        self.total_steps = steps_per_epoch * max_epochs
        self.frozen_epochs = frozen_epochs
        weights = class_weights(class_counts, loss.class_weight_power)
        # With soft targets the mean runs over the images, not over their weights: the gradient of
        # a batch is then the mean of its parts' gradients, on one device or on many.
        self.train_loss = nn.CrossEntropyLoss(weights, label_smoothing=loss.label_smoothing)
        self.validation_loss = nn.CrossEntropyLoss(weights)
        self._decision_weights = class_weights(class_counts, decision_power).tolist()
        self._validated: list[tuple[torch.Tensor, torch.Tensor]] = []
        # Norm statistics stay with their rank: torch would send them before every forward pass,
        # also in validation, where ranks may differ by a batch and would wait for each other.
        statistics = [name for name, _ in self.named_buffers()]
        DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(  # type: ignore[no-untyped-call]
            self, statistics
        )

    def on_train_start(self) -> None:
        self._freeze()  # a resume in mid-epoch starts no epoch

    def on_train_epoch_start(self) -> None:
        self._freeze()

    def _freeze(self) -> None:
        freeze_backbone(self.network, self.current_epoch < self.frozen_epochs)

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        images, targets = batch
        loss: torch.Tensor = self.train_loss(self.network(images), targets)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Measure all ranks by the norm statistics of the first, which are kept and exported."""
        if self.trainer.world_size > 1:
            for statistics in self.network.buffers():
                torch.distributed.broadcast(statistics, src=0)

    def validation_step(self, batch: Batch, _: int) -> None:
        images, labels = batch
        self._validated.append((self.network(images).float(), labels))

    def on_validation_epoch_end(self) -> None:
        logits, labels = self._gathered()
        loss = self.validation_loss(logits, labels)
        probabilities = softmax(logits.cpu().numpy())
        malignant = malignant_probability(probabilities, self.classes)
        metrics = compute_metrics(
            labels.cpu().numpy(),
            probabilities,
            decide(probabilities, self._decision_weights),
            malignant,
            self.classes,
            0.5,
        )
        self.log("validation_loss", loss)
        # A figure that the images do not define is no figure, rather than a nought.
        for name in ("balanced_accuracy", "macro_auroc"):
            value = getattr(metrics, name)
            self.log(f"validation_{name}", math.nan if value is None else value)

    def _gathered(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits `[N, C]` and labels `[N]` of all ranks, whose shares may differ by one image."""
        logits = torch.cat([part for part, _ in self._validated])
        labels = torch.cat([part for _, part in self._validated])
        self._validated.clear()
        if self.trainer.world_size > 1:
            logits = torch.cat(gather_all_tensors(logits))
            labels = torch.cat(gather_all_tensors(labels))
        return logits, labels

    def optimizer_and_schedule(self) -> tuple[AdamW, LambdaLR]:
        """AdamW, and the schedule that goes on with every step."""
        config = self.optimizer_config
        groups = parameter_groups(self.network, config.lr, config.weight_decay, config.layer_decay)
        optimizer = AdamW(groups, fused=True)
        schedule = LambdaLR(
            optimizer, lambda step: schedule_at(step, self.total_steps, config.warmup_fraction)
        )
        return optimizer, schedule

    def configure_optimizers(self) -> dict[str, object]:  # type: ignore[override]
        optimizer, schedule = self.optimizer_and_schedule()
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def class_weights(counts: list[int], power: float) -> torch.Tensor:
    """Weights `[C]`, proportional to frequency to minus `power`, of mean 1 over the images.

    A class without images gets weight 0.
    """
    frequency = np.array(counts, dtype=np.float64) / sum(counts)
    raw = np.where(frequency > 0, np.maximum(frequency, 1e-12) ** -power, 0.0)
    return torch.from_numpy((raw / (raw * frequency).sum()).astype(np.float32))


def schedule_at(step: int, total_steps: int, warmup_fraction: float) -> float:
    """Factor on the learning rate: linear warm-up, then a half cosine to 0 (arXiv:1608.03983)."""
    warmup = max(1, round(total_steps * warmup_fraction))
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, total_steps - warmup))
    return 0.5 * (1 + math.cos(math.pi * progress))

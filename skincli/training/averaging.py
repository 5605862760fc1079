"""The running mean of the weights, which is what is validated, kept and exported."""

from collections.abc import Sequence
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import WeightAveraging


class RunningMean(WeightAveraging):
    """Exponential moving average over about `horizon` steps (Tarvainen & Valpola, 1703.01780).

    Norm statistics are averaged along. The mean never looks back over more than a tenth of the
    steps there were, so that the start is soon forgotten.
    """

    def __init__(self, horizon: float) -> None:
        self.decay = 1 - 1 / max(1.0, horizon)
        super().__init__(use_buffers=True, multi_avg_fn=self._mean)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        super().setup(trainer, pl_module, stage)
        if self._average_model is not None:
            # torch asks this counter at every step; on a GPU each question would be a wait.
            self._average_model.n_averaged = self._average_model.n_averaged.cpu()

    @torch.no_grad()
    def _mean(self, means: Sequence[torch.Tensor], current: Sequence[torch.Tensor], _: Any) -> None:
        done = self._latest_update_step
        weight = 1 - min(self.decay, (1 + done) / (10 + done))
        if means[0].is_floating_point():
            torch._foreach_lerp_(list(means), list(current), weight)
        else:
            for mean, now in zip(means, current, strict=True):
                mean.copy_(now)

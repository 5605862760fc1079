"""The running mean of the weights, which is what is validated, kept and exported."""

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
        super().__init__(use_buffers=True)
        # Tensors of the mean and of the network: those that are averaged, and counters.
        self._means: list[torch.Tensor] = []
        self._weights: list[torch.Tensor] = []
        self._counted: list[torch.Tensor] = []
        self._counts: list[torch.Tensor] = []

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Follow the network to its device: Lightning copies it before it is moved there.

        Tensors change in place from now on, and are looked up once: torch's own update does so at
        every step, which took a quarter of the time of a small network's step.
        """
        assert self._average_model is not None
        mean = self._average_model.module.to(pl_module.device)
        # Asked at every step; on a GPU each question would be a wait.
        self._average_model.n_averaged = self._average_model.n_averaged.cpu()
        pairs = list(zip(_tensors(mean), _tensors(pl_module), strict=True))
        real = [pair for pair in pairs if pair[0].is_floating_point()]
        other = [pair for pair in pairs if not pair[0].is_floating_point()]
        self._means, self._weights = [pair[0] for pair in real], [pair[1] for pair in real]
        self._counted, self._counts = [pair[0] for pair in other], [pair[1] for pair in other]

    @torch.no_grad()
    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        assert self._average_model is not None
        done = self._latest_update_step
        if trainer.global_step <= done:
            return
        first = not self._average_model.n_averaged
        weight = 1.0 if first else 1 - min(self.decay, (1 + done) / (10 + done))
        torch._foreach_lerp_(self._means, self._weights, weight)
        if self._counted:
            torch._foreach_copy_(self._counted, self._counts)
        self._average_model.n_averaged += 1
        self._latest_update_step = trainer.global_step


def _tensors(module: torch.nn.Module) -> list[torch.Tensor]:
    return [tensor.detach() for tensor in (*module.parameters(), *module.buffers())]

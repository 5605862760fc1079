"""The compute limit: the step of training, and nothing around it."""

from contextlib import AbstractContextManager, nullcontext
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from skincli.config.schema import Config
from skincli.taxonomy import classes_of
from skincli.training.device import choose_precision
from skincli.training.fit import build_network, new_module
from skincli.training.input.batches import Batch

_AUTOCAST: Final = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
_EMA_WEIGHT: Final = 1e-3  # any costs the same


class BareStep:
    """Network, loss, optimizer, schedule and running mean of `train` in a plain loop.

    No Lightning, no callbacks, no look at the loss.
    """

    def __init__(
        self, config: Config, labels: NDArray[np.int64], steps: int, device: torch.device
    ) -> None:
        """`labels [N]` give the classes their weights, `steps` the schedule its length."""
        self.module = new_module(config, build_network(config), labels, steps).to(device).train()
        self.optimizer, self.schedule = self.module.optimizer_and_schedule()
        self.device = device
        precision = choose_precision(config, device)
        self._dtype = _AUTOCAST.get(precision)
        # Without 16 bit floats it scales nothing.
        self._scaler = torch.amp.GradScaler(device.type, enabled=precision == "16-mixed")
        averaged = config.optimizer.ema_epochs > 0
        self._weights = _floats(self.module) if averaged else []
        self._means = [weight.clone() for weight in self._weights]

    def __call__(self, batch: Batch) -> None:
        """Learn from images `[B, 3, S, S]` and targets `[B, C]`, or labels `[B]`."""
        with self._autocast():
            loss = self.module.training_step(batch, 0)
        self.optimizer.zero_grad()
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.step(self.optimizer)
        self._scaler.update()
        self.schedule.step()
        if self._means:
            torch._foreach_lerp_(self._means, self._weights, _EMA_WEIGHT)

    def _autocast(self) -> AbstractContextManager[object]:
        if self._dtype is None:
            return nullcontext()
        return torch.autocast(self.device.type, self._dtype)


def random_batch(config: Config, device: torch.device) -> Batch:
    """One batch as it comes out of the augmentation, and soft targets."""
    size, n = config.data.image_size, config.data.batch_size
    layout = torch.channels_last if config.trainer.channels_last else torch.contiguous_format
    images = torch.rand((n, 3, size, size), device=device).contiguous(memory_format=layout)
    targets = torch.rand((n, len(classes_of(config.task))), device=device)
    return images, targets / targets.sum(dim=1, keepdim=True)


def _floats(module: torch.nn.Module) -> list[torch.Tensor]:
    """Weights and norm statistics, as they change in place."""
    tensors = [*module.parameters(), *module.buffers()]
    return [tensor.detach() for tensor in tensors if tensor.is_floating_point()]

"""A residual net of basic blocks for low resolutions (He et al., arXiv:1512.03385)."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import torch
from torch import nn
from torchvision.ops import StochasticDepth


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks of `widening * width` channels at one resolution; the first one has the `stride`."""

    blocks: int
    stride: int
    widening: int


STAGES: Final = (Stage(1, 1, 1), Stage(1, 2, 2), Stage(1, 2, 4), Stage(1, 2, 8))


class _Block(nn.Module):
    """Two 3 x 3 convolutions and a shortcut, projected where the shape changes.

    In training the convolutions are left out of an image's path with probability `drop`.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, drop: float) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
            StochasticDepth(drop, "row"),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.residual(x) + self.shortcut(x))


def small_resnet(width: int, stem_stride: int, drop_path: float) -> nn.Sequential:
    """A stem and `STAGES`: `[N, 3, S, S]` to `[N, widening * width, h, w]` of the last stage.

    The stem halves the image (`stem_stride` 2) or quarters it (4). The chance of being left out
    rises linearly with depth, to `drop_path` for the last block (Huang et al., arXiv:1603.09382).
    """
    n_blocks = sum(stage.blocks for stage in STAGES)
    drops = iter([drop_path * depth / n_blocks for depth in range(1, n_blocks + 1)])
    stages, channels = [_stem(width, stem_stride)], width
    for stage in STAGES:
        inputs, channels = channels, stage.widening * width
        shapes = [(inputs, stage.stride), *[(channels, 1)] * (stage.blocks - 1)]
        blocks = [_Block(i, channels, stride, next(drops)) for i, stride in shapes]
        stages.append(nn.Sequential(*blocks))
    return nn.Sequential(*stages)


def _stem(width: int, stride: int) -> nn.Sequential:
    """A convolution, or two, each of stride 2."""
    channels = [3, width] if stride == 2 else [3, width // 2, width]
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(channels):
        layers += [
            nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)

"""Which parameters learn how fast, and which do not learn for now."""

from collections.abc import Iterable, Iterator
from typing import Any

from torch import nn

from skincli.models.network import Network


def parameter_groups(
    network: Network, lr: float, weight_decay: float, layer_decay: float
) -> list[dict[str, Any]]:
    """Groups for an optimizer, each with its own `lr` and `weight_decay`.

    Matrices and kernels decay; norms and biases are left alone. The head learns with `lr`, each
    stage of the backbone with `layer_decay` times the rate of what follows it (discriminative
    learning rates, Howard & Ruder, arXiv:1801.06146). A `layer_decay` of 1 gives two groups.
    """
    if layer_decay == 1:
        return _by_decay(network.parameters(), lr, weight_decay)
    groups = _by_decay(network.head.parameters(), lr, weight_decay)
    for stage in reversed(backbone_stages(network.backbone)):
        lr *= layer_decay
        parameters = (parameter for layer in stage for parameter in layer.parameters())
        groups += _by_decay(parameters, lr, weight_decay)
    return groups


def backbone_stages(backbone: nn.Module) -> list[list[nn.Module]]:
    """The backbone's layers, from the image on, in runs that begin where the map gets smaller.

    That is what the papers of all these families call a stage, however they are nested in code.
    Runs without parameters are left out.
    """
    stages: list[list[nn.Module]] = [[]]
    for layer in _layers(backbone):
        if _shrinks(layer) and _learns(stages[-1]):
            stages.append([])
        stages[-1].append(layer)
    return stages


def freeze_backbone(network: Network, frozen: bool) -> None:
    """Let only the head learn, or again everything. Call it at the start of every epoch.

    A frozen backbone is in eval mode: its norm statistics stay, and no path is dropped.
    """
    network.backbone.requires_grad_(not frozen)
    network.backbone.train(not frozen)


def _by_decay(
    parameters: Iterable[nn.Parameter], lr: float, weight_decay: float
) -> list[dict[str, Any]]:
    matrices: list[nn.Parameter] = []
    vectors: list[nn.Parameter] = []
    for parameter in parameters:
        # convnext keeps a vector, its layer scale, as `[C, 1, 1]`.
        (matrices if parameter.squeeze().ndim > 1 else vectors).append(parameter)
    return [
        {"params": matrices, "lr": lr, "weight_decay": weight_decay},
        {"params": vectors, "lr": lr, "weight_decay": 0.0},
    ]


def _layers(module: nn.Module) -> Iterator[nn.Module]:
    """What stands in a row: sequences are opened, blocks with branches are not."""
    if isinstance(module, nn.Sequential):
        for child in module:
            yield from _layers(child)
    else:
        yield module


def _shrinks(layer: nn.Module) -> bool:
    strided = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
    strides = (part.stride for part in layer.modules() if isinstance(part, strided))
    return any(max(stride if isinstance(stride, tuple) else (stride,)) > 1 for stride in strides)


def _learns(layers: Iterable[nn.Module]) -> bool:
    return any(True for layer in layers for _ in layer.parameters())

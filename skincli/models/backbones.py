"""The backbones that can feed our head: everything up to the last spatial map, nothing after it."""

import difflib
from dataclasses import dataclass
from typing import Any, Final

import torchvision
from torch import nn

from skincli.config.training import ModelConfig
from skincli.errors import ConfigError
from skincli.models.pretrained import load_weights, pretrained_weights
from skincli.models.small_resnet import STAGES, small_resnet

SMALL_RESNET: Final = "small_resnet"
TORCHVISION: Final = (
    *("resnet18", "resnet34", "resnet50", "resnet101", "resnext50_32x4d", "wide_resnet50_2"),
    *("shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0"),
    *("mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"),
    *("efficientnet_b0", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3"),
    *("efficientnet_v2_s", "regnet_x_400mf", "regnet_y_400mf", "regnet_y_800mf", "regnet_y_1_6gf"),
    *("densenet121", "densenet169", "convnext_tiny", "convnext_small"),
)
BACKBONES: Final = (SMALL_RESNET, *TORCHVISION)
# The families whose residual blocks torchvision can leave out of a step.
_DROPS_PATHS: Final = ("convnext", "efficientnet")


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network from `[N, 3, S, S]` to its last spatial map `[N, channels, h, w]`."""

    network: nn.Module
    channels: int


def check_backbone(config: ModelConfig) -> None:
    """Refuse, before any work, a backbone or a start that cannot be had. Raises ConfigError."""
    if config.backbone not in BACKBONES:
        near = difflib.get_close_matches(config.backbone, BACKBONES, n=1)
        known = f"supported: {', '.join(BACKBONES)}"
        raise ConfigError(
            f"`model.backbone={config.backbone}` is not supported",
            f"did you mean `{near[0]}`? {known}" if near else known,
        )
    if config.backbone == SMALL_RESNET and config.pretrained and config.weights is None:
        raise ConfigError(
            "there are no pretrained weights for small_resnet",
            "add `model.pretrained=false`, or take `model=small_resnet`, which sets it",
        )
    if config.drop_path and not config.backbone.startswith((SMALL_RESNET, *_DROPS_PATHS)):
        raise ConfigError(
            f"`model.drop_path={config.drop_path:g}` cannot be had with {config.backbone}",
            f"set it to 0, or take {SMALL_RESNET} or one of the {' or '.join(_DROPS_PATHS)} family",
        )


def build_backbone(config: ModelConfig) -> Backbone:
    """The configured backbone with its starting weights. Raises ConfigError, SkincliError."""
    check_backbone(config)
    if config.backbone == SMALL_RESNET:
        network = small_resnet(config.width, config.stem_stride, config.drop_path)
        if config.weights is not None:
            load_weights(network, config.weights, head=())
        return Backbone(network, STAGES[-1].widening * config.width)
    # Said even where it is 0, for torchvision's own default is not.
    drops = config.backbone.startswith(_DROPS_PATHS)
    options = {"stochastic_depth_prob": config.drop_path} if drops else {}
    model = torchvision.models.get_model(config.backbone, weights=None, **options)
    weights = config.weights
    if weights is None and config.pretrained:
        weights = pretrained_weights(config.backbone)
    if weights is not None:
        # convnext's last norm sits in its classifier, but is the backbone's here.
        last = "classifier.2." if config.backbone.startswith("convnext") else "classifier."
        load_weights(model, weights, head=("fc.", last))
    return _without_head(config.backbone, model)


def _without_head(name: str, model: Any) -> Backbone:
    family = name.partition("_")[0].rstrip("0123456789")
    if family in ("resnet", "resnext", "wide"):
        return Backbone(nn.Sequential(*list(model.children())[:-2]), model.fc.in_features)
    if family == "shufflenet":
        return Backbone(nn.Sequential(*list(model.children())[:-1]), model.fc.in_features)
    if family == "regnet":
        return Backbone(nn.Sequential(model.stem, model.trunk_output), model.fc.in_features)
    if family == "densenet":
        network = nn.Sequential(model.features, nn.ReLU(inplace=True))
        return Backbone(network, model.classifier.in_features)
    if family == "convnext":
        # Its LayerNorm works on channels at each position, so it may stand before the pool.
        network = nn.Sequential(model.features, model.classifier[0])
        return Backbone(network, model.classifier[2].in_features)
    first_linear = next(layer for layer in model.classifier if isinstance(layer, nn.Linear))
    return Backbone(model.features, first_linear.in_features)

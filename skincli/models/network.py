"""The classifier: a backbone, a global average pool and a linear head, from pixels to logits."""

import math
from typing import Final, NamedTuple

import torch
from torch import nn

from skincli.bundle import VIEWS
from skincli.config.training import TestTimeAugmentation
from skincli.imaging import Pixels
from skincli.models.backbones import Backbone
from skincli.models.views import turned, turned_back

# Channel statistics of ImageNet, which torchvision's weights expect.
MEAN: Final = (0.485, 0.456, 0.406)
STD: Final = (0.229, 0.224, 0.225)


class Answers(NamedTuple):
    """`logits [N, C]`, pooled `features [N, D]` and class activation maps `cam [N, C, h, w]`."""

    logits: torch.Tensor
    features: torch.Tensor
    cam: torch.Tensor


class Network(nn.Module):
    """Float images `[N, 3, S, S]` in [0, 1] to logits `[N, C]`; normalisation is inside."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, backbone: Backbone, n_classes: int, dropout: float) -> None:
        super().__init__()
        self.backbone = backbone.network
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(backbone.channels, n_classes)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    def maps(self, images: torch.Tensor) -> torch.Tensor:
        """The backbone's last spatial map `[N, D, h, w]`."""
        maps: torch.Tensor = self.backbone((images - self.mean) / self.std)
        return maps

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.maps(images).mean(dim=(2, 3))
        logits: torch.Tensor = self.head(self.dropout(features))
        return logits


class ExportedNetwork(nn.Module):
    """What goes into the bundle: uint8 images `[N, S, S, 3]` to logits, features and maps.

    All views of the test-time augmentation are one batch. In ONNX Runtime a chain of passes is no
    faster, takes four times as long to load, and holds the weights once for every view.
    """

    def __init__(self, network: Network, test_time_augmentation: TestTimeAugmentation) -> None:
        super().__init__()
        self.network = network
        self.views = VIEWS[test_time_augmentation]

    def forward(self, images: torch.Tensor) -> Answers:
        scaled = images.permute(0, 3, 1, 2).to(torch.float32) / 255.0
        if self.views == 1:
            maps = self.network.maps(scaled)
        else:
            maps = turned_back(self.network.maps(turned(scaled, self.views)), self.views)
        features = maps.mean(dim=(2, 3))
        head = self.network.head
        # Pool and head are linear: of the mean map they make the mean of the views' logits.
        # Zhou et al. 2016 (arXiv:1512.04150): the head's weights applied at each position.
        cam = torch.nn.functional.conv2d(maps, head.weight[:, :, None, None])
        return Answers(head(features), features, cam)

    @torch.inference_mode()
    def answer(self, images: Pixels) -> Answers:
        """Answers for uint8 images in numpy, on the network's device.

        As many at a time as keep memory at that of N images seen once.
        """
        device = self.network.head.weight.device
        parts = torch.split(torch.from_numpy(images), math.ceil(len(images) / self.views))
        answers = [self(part.to(device)) for part in parts]
        return Answers(*(torch.cat(values) for values in zip(*answers, strict=True)))

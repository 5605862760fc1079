"""Mixup and cutmix, with a partner and a share for each image rather than for the batch."""

from dataclasses import dataclass

import numpy as np
import torch

from skincli.config.training import AugmentConfig
from skincli.training.input.boxes import corners, inside
from skincli.training.input.dice import Dice, Purpose


@dataclass(frozen=True, slots=True)
class Mixing:
    """For n images: `partner [n]`, a place in the same batch, and what is left of the image itself.

    Outside its box (`boxes [n, 4]`, pixels) an image keeps `share [n]`, inside it nothing;
    `kept [n]` is what that makes over the whole image. `boxes` is None without cutmix.
    """

    partner: torch.Tensor
    share: torch.Tensor
    kept: torch.Tensor
    boxes: torch.Tensor | None

    def of(self, rows: slice) -> "Mixing":
        boxes = None if self.boxes is None else self.boxes[rows]
        return Mixing(self.partner[rows], self.share[rows], self.kept[rows], boxes)

    def to(self, device: torch.device) -> "Mixing":
        boxes = None if self.boxes is None else self.boxes.to(device)
        partner, share = self.partner.to(device), self.share.to(device)
        return Mixing(partner, share, self.kept.to(device), boxes)


def mixes(config: AugmentConfig) -> bool:
    return any((config.mixup, config.cutmix))


def draw_mixing(config: AugmentConfig, batch_size: int, size: int, dice: Dice) -> Mixing:
    """Partners are drawn from the batch of `batch_size` images of side `size` around each.

    Shares are uniform, Beta(1, 1), as in both papers on CIFAR: mixup Zhang et al.
    (arXiv:1710.09412), cutmix Yun et al. (arXiv:1905.04899). An image that is neither keeps all.
    """
    kind, share, other, x, y = dice.uniform(Purpose.MIXING, 5).T
    blended = kind < config.mixup
    cut = ~blended & (kind < config.mixup + config.cutmix)
    side = np.rint(size * np.sqrt(1 - share) * cut)
    centre = np.stack([x, y], axis=1) * size
    # A box that juts out is cut off at the edge, and the share corrected for it, as in the paper.
    start = np.floor(centre - side[:, None] / 2).clip(0, size)
    stop = (np.floor(centre - side[:, None] / 2) + side[:, None]).clip(0, size)
    kept = np.where(blended, share, 1 - (stop - start).prod(axis=1) / size**2)
    places = np.arange(len(kind)) % batch_size
    partner = (places + 1 + np.floor(other * (batch_size - 1)).astype(np.int64)) % batch_size
    return Mixing(
        partner=torch.from_numpy(partner),
        share=torch.from_numpy(np.where(blended, share, 1.0).astype(np.float32)),
        kept=torch.from_numpy(kept.astype(np.float32)),
        boxes=corners(start, stop) if config.cutmix else None,
    )


def mix(images: torch.Tensor, part: slice, mixing: Mixing) -> torch.Tensor:
    """Of a batch `[B, 3, S, S]` the images `part`, blended with or cut by their partners."""
    mine = mixing.of(part)
    own = mine.share[:, None, None, None]
    if mine.boxes is not None:
        own = own * (1 - inside(mine.boxes, images.shape[3]))
    return torch.lerp(images[mine.partner], images[part], own)


def soft_targets(
    labels: torch.Tensor, n_classes: int, batch_size: int, mixing: Mixing | None
) -> torch.Tensor:
    """Targets `[n, n_classes]` of whole batches of images: one-hot, or mixed as the images are."""
    targets = torch.nn.functional.one_hot(labels, n_classes).to(torch.float32)
    if mixing is None:
        return targets
    batches = torch.arange(len(labels)) // batch_size * batch_size
    return torch.lerp(targets[batches + mixing.partner], targets, mixing.kept[:, None])

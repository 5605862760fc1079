"""The views of an image that a bundle averages over: mirrored and turned, and turned back.

Four views are the flips, eight all symmetries of the square (the dihedral group). Only data are
moved, so that the mean over all views is the same for every one of them.
"""

import torch

_COLUMNS, _ROWS, _DIAGONAL = 1, 2, 4  # the bits of a view's number


def turned(images: torch.Tensor, views: int) -> torch.Tensor:
    """Images `[N, 3, S, S]` as each of the first `views` views: `[views * N, 3, S, S]`."""
    return torch.cat([_flipped(_transposed(images, view), view) for view in range(views)])


def turned_back(maps: torch.Tensor, views: int) -> torch.Tensor:
    """The mean `[N, D, h, h]` of maps `[views * N, D, h, h]`, each laid back on the image."""
    parts = maps.reshape(views, -1, *maps.shape[1:]).unbind()
    back = [_transposed(_flipped(part, view), view) for view, part in enumerate(parts)]
    return torch.stack(back).mean(dim=0)


def _flipped(images: torch.Tensor, view: int) -> torch.Tensor:
    dims = [dim for dim, bit in ((3, _COLUMNS), (2, _ROWS)) if view & bit]
    return images.flip(dims) if dims else images


def _transposed(images: torch.Tensor, view: int) -> torch.Tensor:
    return images.transpose(2, 3) if view & _DIAGONAL else images

"""Small packs of known pixels, for the tests of the training input."""

import numpy as np
import torch

from skincli.config.training import AugmentConfig
from skincli.data.packing.packed import CHUNK, PackedImages, checksum
from skincli.training.input.cache import DeviceCache
from skincli.training.input.labelled import LabelledImages

OFF = dict.fromkeys(AugmentConfig.__slots__, 0)


def only(**options):
    return AugmentConfig(**(OFF | options))


def write_pack(folder, n=40, size=8, pixels=None):
    if pixels is None:
        pixels = np.random.default_rng(1).integers(0, 256, (n, size, size, 3), dtype=np.uint8)
    np.save(folder / "images.npy", pixels)
    chunks = range(-(-len(pixels) // CHUNK))
    return PackedImages(folder / "images.npy", [checksum(pixels, chunk) for chunk in chunks])


def labelled(pack, rows=None, cache_gb=0.0, device="cpu"):
    """Images whose label is their place, so that a batch tells what is in it."""
    rows = np.arange(len(pack)) if rows is None else rows
    cache = DeviceCache(torch.device(device), cache_gb)
    return LabelledImages(pack, rows, np.arange(len(rows)), cache)

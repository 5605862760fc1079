"""What the benchmarks hand out."""

from dataclasses import dataclass

from skincli.config.data import Crop


@dataclass(frozen=True, slots=True)
class Speed:
    """Images per second on a number of cores: the bare loop, and packing; and their ratio."""

    cores: int
    bare: float
    packing: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Growth:
    """What packing `factor` times the images costs. Memory is anonymous memory at its peak."""

    factor: int
    n_images: int
    seconds: float
    images_per_second: float
    peak_megabytes: float


@dataclass(frozen=True, slots=True)
class BatchReading:
    """A random batch out of a pack, and a copy of as many bytes in memory, in milliseconds.

    `ratio` is the copy's time over the pack's.
    """

    batch: int
    megabytes: float
    pack_ms: float
    copy_ms: float
    ratio: float


@dataclass(frozen=True, slots=True)
class PrepareBench:
    """Packing beside a bare loop. `decoding` is what one thread decodes when it does not resize.

    Speeds are images per second, the best of `rounds`. `synthetic` tells that the images are drawn.
    """

    synthetic: bool
    n_images: int
    mean_kilobytes: float
    image_size: int
    crop: Crop
    rounds: int
    decoding: float
    speeds: tuple[Speed, ...]
    growth: tuple[Growth, ...]
    reading: BatchReading


@dataclass(frozen=True, slots=True)
class FetchSpeed:
    """Megabytes per second of one way to download, and its ratio to what loopback carries."""

    way: str
    megabytes_per_second: float
    ratio: float


@dataclass(frozen=True, slots=True)
class FetchBench:
    """Downloading a file of `megabytes` on this machine, the best of `rounds`."""

    megabytes: int
    rounds: int
    speeds: tuple[FetchSpeed, ...]


@dataclass(frozen=True, slots=True)
class WaySpeed:
    """Images per second of one way to train, and its ratio to the compute limit."""

    images_per_second: float
    ratio: float


@dataclass(frozen=True, slots=True)
class BackboneBench:
    """One backbone, the best of all rounds.

    `limit` is a bare loop on one batch that stays on the device, `pipeline` is `train` itself,
    `conventional` the bare loop on what a DataLoader's workers decode, and `other_layout` the limit
    in the memory layout that is not configured. `parameters` counts those of the network.
    """

    backbone: str
    parameters: int
    limit: WaySpeed
    pipeline: WaySpeed
    conventional: WaySpeed
    other_layout: WaySpeed


@dataclass(frozen=True, slots=True)
class TrainGrowth:
    """What an epoch of `factor` times the images costs, with none of them kept on the device.

    `peak_megabytes` is the process's anonymous memory at its peak, `device_megabytes` what torch
    held on the GPU at its peak, None without one.
    """

    factor: int
    n_images: int
    seconds: float
    images_per_second: float
    peak_megabytes: float
    device_megabytes: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainBench:
    """Training in several ways, in rounds of `steps` steps each; growth with the first backbone.

    `n_images` counts the JPEG files and `mean_kilobytes` is their mean size; `synthetic` tells that
    they are drawn. `augment` holds the settings of the augmentation.
    """

    device: str
    precision: str
    channels_last: bool
    compile: bool
    synthetic: bool
    n_images: int
    mean_kilobytes: float
    image_size: int
    batch_size: int
    augment: dict[str, float]
    rounds: int
    steps: int
    backbones: tuple[BackboneBench, ...]
    growth: tuple[TrainGrowth, ...]

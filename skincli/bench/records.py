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

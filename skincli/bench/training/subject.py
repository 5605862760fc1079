"""The images that are trained on: JPEG files for the one pipeline, a pack of them for the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skincli.config.schema import Config
from skincli.data.packing.decode import IMAGES, Shot, decode_images
from skincli.data.packing.packed import CHUNK, PackedImages, checksum
from skincli.data.reading.images import ImageStore
from skincli.data.storage import require_space
from skincli.imaging import Limits, Pixels
from skincli.progress import Progress
from skincli.taxonomy import Task, classes_of
from skincli.training.input.cache import DeviceCache
from skincli.training.input.labelled import LabelledImages

# How many times the images the pack holds them, and how many steps they last at the least.
MOST_TIMES: Final = 16
_LEAST_STEPS: Final = 8


@dataclass(frozen=True, slots=True)
class Pack:
    """`images.npy` in a folder: `n_images` of them, `MOST_TIMES` over.

    Plain data, so that another process can open it.
    """

    file: Path
    checksums: tuple[int, ...]
    n_images: int

    def images(self, count: int, task: Task, cache: DeviceCache) -> LabelledImages:
        """The first `count` images, from the start again when they run out."""
        packed = PackedImages(self.file, self.checksums)
        rows = np.arange(count) % len(packed)
        return LabelledImages(packed, rows, labels_of(rows, task), cache)


def labels_of(rows: NDArray[np.int64], task: Task) -> NDArray[np.int64]:
    """A class for each image in turn: what it shows does not matter here."""
    labels: NDArray[np.int64] = rows % len(classes_of(task))
    return labels


def lay_out_jpegs(folder: Path, files: Sequence[bytes], task: Task) -> Path:
    """Files in a subfolder for each class, as `torchvision.datasets.ImageFolder` wants them."""
    root = folder / "jpegs"
    n_classes = len(classes_of(task))
    for number, data in enumerate(files):
        parent = root / str(number % n_classes)
        parent.mkdir(parents=True, exist_ok=True)
        (parent / f"{number:06d}.jpg").write_bytes(data)
    return root


def pack_jpegs(folder: Path, jpegs: Path, config: Config, progress: Progress) -> Pack:
    """Pack the files as `data prepare` does, then repeat them. Raises DataError, SkincliError."""
    shot = Shot(config.data.image_size, config.data.crop, Limits.of(config.image))
    store = ImageStore.of_folder(jpegs)
    once = folder / "once"
    once.mkdir()
    names = sorted(store.ids)
    n_images = max(len(names), _LEAST_STEPS * config.data.batch_size)
    require_space(folder, (len(names) + MOST_TIMES * n_images) * shot.size**2 * 3)
    decode_images(once, store, names, shot, progress)
    images: Pixels = np.load(once / IMAGES, mmap_mode="r", allow_pickle=False)
    return _repeated(folder / IMAGES, images, n_images)


def _repeated(file: Path, images: Pixels, n_images: int) -> Pack:
    """Write the images as often as is needed, a chunk at a time."""
    shape = (MOST_TIMES * n_images, *images.shape[1:])
    array: Pixels = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=shape)
    checksums = []
    for start in range(0, len(array), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(array)))
        array[rows] = images[rows % n_images % len(images)]
        checksums.append(checksum(array, start // CHUNK))
    return Pack(file, tuple(checksums), n_images)

"""A pack on disk: the decoded images of a set at one size and crop, whatever its split.

::

    prepared/<key>/  images.npy    uint8 [N, S, S, 3]
                     images.csv    image id and SHA-256 of the file behind every row
                     chunks.txt    the CRC-32 of every 64 images
                     manifest.json what the set is, for people and other programs
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from skincli.data.fingerprints import digest_of
from skincli.data.packing.decode import IMAGES, Shot, decode_images, read_checksums
from skincli.data.packing.packed import PackedImages
from skincli.data.reading.images import ImageStore
from skincli.data.storage import put_in_place, read_csv, require_space, write_csv
from skincli.errors import SkincliError
from skincli.progress import Progress

_ROWS: Final = "images.csv"
_COLUMNS: Final = ("image_id", "sha256")
# Part of every key: raise it when the same files would be packed differently.
_PACK_VERSION: Final = 2

Identity = tuple[str, str]


def pack_folder(prepared: Path, images: Sequence[Identity], shot: Shot) -> Path:
    """The folder of the pack of `images` (id and SHA-256, in order), named after all it holds."""
    content = [_PACK_VERSION, shot.size, shot.crop, list(images)]
    return prepared / digest_of(content)[:12]


def open_pack(folder: Path, images: Sequence[Identity], shot: Shot) -> PackedImages | None:
    """The pack in a folder, None where there is none that is whole and holds these images."""
    try:
        rows = [(record["image_id"], record["sha256"]) for record in read_csv(folder / _ROWS)]
        packed = PackedImages(folder / IMAGES, read_checksums(folder))
    except (OSError, EOFError, ValueError, KeyError):
        return None
    shape = (len(images), shot.size, shot.size, 3)
    return packed if rows == list(images) and packed.shape == shape else None


def make_pack(
    folder: Path,
    images: Sequence[Identity],
    store: ImageStore,
    shot: Shot,
    progress: Progress,
) -> PackedImages:
    """Decode the images into `folder`; goes on with what an interrupted call left."""
    partial = folder.with_name(folder.name + ".partial")
    for leftover in set(folder.parent.glob("*.partial")) - {partial}:
        shutil.rmtree(leftover)
    partial.mkdir(parents=True, exist_ok=True)
    if not (partial / IMAGES).is_file():
        require_space(partial, len(images) * shot.size * shot.size * 3)
    decode_images(partial, store, [image_id for image_id, _ in images], shot, progress)
    write_csv(partial / _ROWS, _COLUMNS, images)
    put_in_place(partial, folder)
    packed = open_pack(folder, images, shot)
    if packed is None:
        raise SkincliError(f"`{folder}` cannot be read back after writing", "check the disk")
    return packed

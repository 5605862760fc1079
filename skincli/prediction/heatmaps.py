"""Heat maps on disk: one PNG per image, under names that never collide."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

from PIL import Image

from skincli.errors import SkincliError
from skincli.imaging import Pixels

SUFFIX: Final = ".heatmap.png"


class HeatmapFolder:
    """Writes `<image>.heatmap.png`, numbered where two images have the same name.

    Which image gets which name is settled at once: threads may write in any order, and again.
    """

    def __init__(self, folder: Path, images: Collection[Path]) -> None:
        """`images` are all that may come, and are not written over. Raises SkincliError."""
        self._folder = folder
        self._taken = {_key(image) for image in images}
        self._names = {image: self._free_name(image.stem) for image in images}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from None

    def write(self, image: Path, drawn: Pixels) -> Path:
        """Save what was drawn of an image, uint8 `[H, W, 3]`. Raises SkincliError."""
        target = self._names[image]
        partial = target.with_name(target.name + ".partial")
        try:
            Image.fromarray(drawn).save(partial, format="PNG")
            partial.replace(target)
        except OSError as error:
            raise _unwritable(target, error) from None
        return target

    def _free_name(self, stem: str) -> Path:
        target, number = self._folder / f"{stem}{SUFFIX}", 1
        while _key(target) in self._taken:
            number += 1
            target = self._folder / f"{stem}-{number}{SUFFIX}"
        self._taken.add(_key(target))
        return target


def _key(path: Path) -> str:
    """Equal for two paths that some file system would take for the same file."""
    return str(path.resolve()).casefold()


def _unwritable(path: Path, error: OSError) -> SkincliError:
    return SkincliError(f"`{path}` cannot be written: {error.strerror}")

"""Heat maps on disk: one PNG per image, under names that never collide."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from PIL import Image

from skincli.errors import SkincliError
from skincli.imaging import Pixels
from skincli.inference.engine import Floats
from skincli.inference.heatmap import overlay

SUFFIX: Final = ".heatmap.png"


class HeatmapFolder:
    """Writes `<image>.heatmap.png`, numbered where two images have the same name."""

    def __init__(self, folder: Path, images: Iterable[Path]) -> None:
        """`images` are files that must not be written over. Raises SkincliError."""
        self._folder = folder
        self._taken = {_key(image) for image in images}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from None

    def write(self, image: Path, picture: Pixels, cam: Floats) -> Path:
        """Lay `cam [h, w]` over a picture uint8 `[H, W, 3]` of the image, and save it."""
        target = self._free_name(image.stem)
        partial = target.with_name(target.name + ".partial")
        try:
            Image.fromarray(overlay(picture, cam)).save(partial, format="PNG")
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

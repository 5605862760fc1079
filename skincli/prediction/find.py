"""From the paths that a user names to the image files behind them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from skincli.errors import DataError, UsageError
from skincli.imaging import IMAGE_SUFFIXES
from skincli.prediction.heatmaps import SUFFIX as HEATMAP_SUFFIX


def find_images(paths: Sequence[Path]) -> list[Path]:
    """The files named, and the images in the folders named, each once.

    A folder is searched through all its levels, sorted; a file that is named itself counts
    whatever its suffix. Raises UsageError for a path that does not exist,
    DataError when there is no image at all.
    """
    if not paths:
        raise UsageError("no image was named", "name images, or folders of images")
    found = list(dict.fromkeys(file for path in paths for file in _files(path)))
    if not found:
        named = ", ".join(f"`{path}`" for path in paths)
        raise DataError(
            f"there is no image in {named}", f"images end in {', '.join(sorted(IMAGE_SUFFIXES))}"
        )
    return found


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if _is_image(file))
    elif path.is_file():
        yield path
    else:
        raise UsageError(f"there is no file or folder `{path}`")


def _is_image(file: Path) -> bool:
    """Whether a file in a folder is meant: neither hidden nor a heat map of an earlier call."""
    # Some systems put hidden companions of the same suffix beside each image.
    left_out = file.name.startswith(".") or file.name.endswith(HEATMAP_SUFFIX)
    return not left_out and file.suffix.lower() in IMAGE_SUFFIXES and file.is_file()

"""The JPEG files that are measured: given ones, or drawn ones of a camera's size."""

import io
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from skincli.data.reading.images import ImageStore
from skincli.data.synthetic.drawing import draw_lesion
from skincli.errors import DataError
from skincli.imaging import IMAGE_SUFFIXES, Limits
from skincli.taxonomy import DIAGNOSIS_CODES

_WIDTH, _HEIGHT = 600, 450
_DRAWN: Final = 64
# With this grain the files are about as long as HAM10000's, some 270 kB, and as long to decode.
_GRAIN: Final = 9.0
_QUALITY: Final = 97


def drawn_jpegs(most: int) -> list[bytes]:
    """Drawn lesions of 600 x 450 pixels, the size of HAM10000's images; 64, or `most` if fewer."""
    rng = np.random.default_rng(0)
    codes = list(islice(cycle(DIAGNOSIS_CODES), min(_DRAWN, most)))
    return [_photograph(draw_lesion(dx, rng), rng) for dx in codes]


def _photograph(lesion: Image.Image, rng: np.random.Generator) -> bytes:
    pixels = np.asarray(lesion.resize((_WIDTH, _HEIGHT), Image.Resampling.BICUBIC))
    grain = rng.normal(0, _GRAIN, pixels.shape)
    stream = io.BytesIO()
    noisy = Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8))
    noisy.save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()


def given_jpegs(paths: Sequence[Path], limits: Limits, most: int) -> list[bytes]:
    """The JPEG files in folders and zip archives, and JPEG files; `most` of them, evenly chosen.

    Raises DataError when there is none.
    """
    chosen = [data for path in paths for data in _some(path, limits, most)]
    jpegs = [data for data in chosen if data.startswith(b"\xff\xd8")]
    if not jpegs:
        names = ", ".join(f"`{path}`" for path in paths)
        raise DataError(f"there is no JPEG in {names}", "name folders, zip archives or JPEG files")
    return [jpegs[index] for index in _even(len(jpegs), most)]


def _some(path: Path, limits: Limits, most: int) -> Iterator[bytes]:
    if not path.exists():
        raise DataError(f"`{path}` does not exist")
    if path.suffix.lower() in IMAGE_SUFFIXES:
        yield path.read_bytes()
        return
    with (
        ImageStore.of_folder(path) if path.is_dir() else ImageStore.of_archives([path], limits)
    ) as store:
        ids = sorted(store.ids)
        for index in _even(len(ids), most):
            yield store.read(ids[index])


def _even(count: int, most: int) -> list[int]:
    """At most `most` numbers below `count`, evenly spread."""
    return [int(index) for index in np.linspace(0, count - 1, min(count, most)).round()]

"""Whatever a hostile file is, there come pixels or a refusal, soon and in little memory."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
from hostile import FILES

from skincli.errors import ImageFault

TESTS = Path(__file__).parents[2]
SECONDS = 4.0  # a whole image at the limit takes one or two
# Eight bytes a pixel: two of Pillow's images, of 50 megapixels, beside each other.
MEMORY = 450e6
REFUSALS = {*get_args(ImageFault)} - {"too_many_bytes"}
EXPECTED = {
    "png 4 gigabytes of zTXt": "pixels",
    "png 4 gigabytes of iCCP": "pixels",
    "png 100 megabytes behind a pixel": "pixels",
    "png 1.6 million empty chunks": "damaged",
    "png 60000 x 60000": "too_many_pixels",
    "png 50000000 x 1": "too_many_pixels",
    "jpeg 65535 x 65535 in few bytes": "too_many_pixels",
    "jpeg 7000 x 7000 of 2000 scans": "unsupported_format",
    "jpeg 7000 x 7000 of 19 scans": "pixels",
    "jpeg scans behind a false end": "unsupported_format",
    "jpeg baseline of 3000 scans": "unsupported_format",
    "jpeg a million exif blocks": "damaged",
    "jpeg frame type 9": "unsupported_format",
    "jpeg cmyk": "pixels",
    "jpeg ycck": "pixels",
    "tiff 40000 strips of the same": "damaged",
    "tiff 7000 strips of ten megabytes": "damaged",
    "tiff a tile of 65536 x 65536 packed": "unsupported_format",
    "tiff pages in a circle": "damaged",
    "tiff a page that follows itself": "pixels",
    "tiff compressed by old jpeg": "unsupported_format",
    "tiff a jpeg of 2000 scans inside": "unsupported_format",
    "tiff BigTIFF of a million tags": "not_an_image",
    "webp a canvas of 16384 x 16384": "too_many_pixels",
    "webp an animation of 3000 frames": "pixels",
    "bmp 49 megapixels of ends of lines": "unsupported_format",
    "bmp 60000 x 60000": "too_many_pixels",
    "no image: dicom of a million items": "damaged",
    "no image: svg": "not_an_image",
    "no image: gif and jar": "not_an_image",
}


def told_by(module: str, *words: str) -> list[str]:
    """What a child process said that lived to the end."""
    child = subprocess.run(
        [sys.executable, "-m", module, *words],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        check=False,
        capture_output=True,
        text=True,
        timeout=500,
    )
    lines = child.stdout.splitlines()
    assert child.returncode == 0, (lines[-1:], child.stderr[-2000:])
    return lines


def readings() -> dict[str, dict]:
    """What became of each file."""
    lines = [json.loads(line) for line in told_by("hostile.reading")]
    return {
        begun["begun"]: {**begun, **ended}
        for begun, ended in zip(lines[::2], lines[1::2], strict=True)
    }


def test_each_gives_pixels_or_is_refused_soon_and_in_little_memory() -> None:
    found = readings()
    assert found.keys() == FILES.keys()
    assert len({reading["digest"] for reading in found.values()}) > 500
    assert max(reading["bytes"] for reading in found.values()) <= 20_000_000
    outcomes = Counter(reading["outcome"] for reading in found.values())
    assert outcomes.keys() == {*REFUSALS, "pixels"}
    # Neither everything is refused nor is everything let in.
    assert min(outcomes["pixels"], outcomes["damaged"]) > 150
    assert {name: found[name]["outcome"] for name in EXPECTED} == EXPECTED
    heavy = {
        name: reading
        for name, reading in found.items()
        if reading["seconds"] > SECONDS or reading["memory"] > MEMORY
    }
    assert not heavy


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_images_changed_at_random_give_pixels_or_are_refused(seed: int) -> None:
    [told] = told_by("hostile.fuzzing", "120", str(seed))
    assert int(told.split()[0]) > 1000

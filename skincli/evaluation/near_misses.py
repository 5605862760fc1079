"""Generated pictures that are no lesion, some of them nearly: what a model should be wary of.

All are synthetic, but for the blurred ones, which are real images made unreadable.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from skincli.config.data import Crop
from skincli.imaging import Pixels
from skincli.imaging.framing import network_input

Generator = np.random.Generator

_WIDTH, _HEIGHT = 300, 225
# Eight of the ten tones of the Monk scale (skintone.google), light to dark.
_TONES: Final = (
    (246, 237, 228),
    (243, 231, 219),
    (234, 218, 186),
    (215, 189, 150),
    (160, 126, 86),
    (130, 92, 67),
    (96, 65, 52),
    (58, 49, 42),
)
_WORDS: Final = "name date of birth referring clinic sample report left forearm follow up in weeks"


def near_misses(size: int, crop: Crop, lesions: Pixels, count: int, seed: int) -> dict[str, Pixels]:
    """`count` inputs `[count, size, size, 3]` of each kind; `lesions` (uint8, the same shape but
    for their number) are what is blurred."""
    rng = np.random.default_rng(seed)
    blurred = [_blurred(lesions[row], rng) for row in rng.integers(len(lesions), size=count)]
    return _drawn(size, crop, count, seed) | {"heavy blur": np.stack(blurred)}


@lru_cache(maxsize=1)
def _drawn(size: int, crop: Crop, count: int, seed: int) -> dict[str, Pixels]:
    rng = np.random.default_rng(seed)
    return {
        kind: np.stack([network_input(draw(rng), size, crop) for _ in range(count)])
        for kind, draw in _KINDS.items()
    }


def _skin(rng: Generator) -> Image.Image:
    """One tone, light that falls off to a side, the grain of a sensor."""
    tone = np.array(_TONES[rng.integers(len(_TONES))], dtype=np.float32)
    angle, fall = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.25)
    y, x = np.mgrid[-1 : 1 : _HEIGHT * 1j, -1 : 1 : _WIDTH * 1j]
    light = 1 + fall * (np.cos(angle) * x + np.sin(angle) * y) / 2
    grain = rng.normal(0, rng.uniform(1, 5), (_HEIGHT, _WIDTH, 1))
    return _image(tone * light[..., None] + grain)


def _ruler(rng: Generator) -> Image.Image:
    """A scale across plain skin, where a lesion should be."""
    image = _skin(rng)
    draw = ImageDraw.Draw(image)
    top, step = int(rng.integers(0, _HEIGHT - 60)), int(rng.integers(4, 10))
    white = int(rng.integers(200, 256))
    draw.rectangle((0, top, _WIDTH, top + 55), fill=(white, white, white))
    for number, x in enumerate(range(0, _WIDTH, step)):
        length = 30 if number % 10 == 0 else 20 if number % 5 == 0 else 12
        draw.line((x, top, x, top + length), fill=(20, 20, 20))
        if number % 10 == 0:
            draw.text((x + 2, top + 33), str(number // 10), fill=(20, 20, 20), font=_font(12))
    return image.rotate(rng.uniform(-30, 30), fillcolor=image.getpixel((2, 2)))


def _black_frame(rng: Generator) -> Image.Image:
    """The black ring of a dermatoscope around next to nothing."""
    image = Image.new("RGB", (_WIDTH, _HEIGHT), (int(rng.integers(0, 12)),) * 3)
    radius = rng.uniform(0.0, 0.2) * _HEIGHT
    middle = np.array([_WIDTH, _HEIGHT]) / 2 + rng.normal(0, 20, 2)
    hole = Image.new("L", image.size)
    ImageDraw.Draw(hole).ellipse((*(middle - radius), *(middle + radius)), fill=255)
    image.paste(_skin(rng), mask=hole.filter(ImageFilter.GaussianBlur(3)))
    return _image(np.asarray(image) + rng.normal(0, 2, (_HEIGHT, _WIDTH, 1)))


def _text(rng: Generator) -> Image.Image:
    """A page of print."""
    image = Image.new("RGB", (_WIDTH, _HEIGHT), (int(rng.integers(225, 256)),) * 3)
    draw, size = ImageDraw.Draw(image), int(rng.integers(8, 18))
    for y in range(5, _HEIGHT, int(size * 1.5)):
        words = " ".join(rng.choice(_WORDS.split(), 12))
        draw.text((10, y), words, fill=(30, 30, 30), font=_font(size))
    return image


def _screenshot(rng: Generator) -> Image.Image:
    """Windows, bars and buttons."""
    image = Image.new("RGB", (_WIDTH, _HEIGHT), _colour(rng))
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(3, 7)):
        left, top = int(rng.integers(0, _WIDTH - 75)), int(rng.integers(0, _HEIGHT - 50))
        right, bottom = left + int(rng.integers(60, 200)), top + int(rng.integers(40, 150))
        draw.rectangle((left, top, right, bottom), fill=_colour(rng), outline=(90, 90, 90))
        draw.rectangle((left, top, right, top + 11), fill=_colour(rng))
        draw.text((left + 4, top + 1), str(rng.choice(_WORDS.split())), font=_font(8))
        draw.text((left + 4, top + 17), _WORDS[:40], fill=(20, 20, 20), font=_font(8))
    return image


_KINDS: Final[dict[str, Callable[[Generator], Image.Image]]] = {
    "plain skin": _skin,
    "ruler": _ruler,
    "black frame": _black_frame,
    "text": _text,
    "screenshot": _screenshot,
}


def _blurred(pixels: Pixels, rng: Generator) -> Pixels:
    radius = rng.uniform(0.08, 0.2) * len(pixels)
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def _colour(rng: Generator) -> tuple[int, int, int]:
    """Grey as often as not: so are windows."""
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return (red, red, red) if rng.random() < 0.5 else (red, green, blue)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _image(values: NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))

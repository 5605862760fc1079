"""A drawn lesion, and photographs of it as a dermatoscope would take them."""

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skincli.data.synthetic.diagnoses import PAINTERS, Canvas
from skincli.data.synthetic.textures import PIXELS_PER_UNIT, SIDE, Field, noise, step_up, strokes

WIDTH: Final = 200
HEIGHT: Final = 150
_QUALITY: Final = 90
_SKIN: Final = np.array(
    [(228, 182, 168), (222, 188, 156), (236, 206, 196), (206, 162, 138), (214, 160, 152)],
    dtype=np.float32,
)
_FLUSH: Final = np.array((214, 140, 130), dtype=np.float32)
_X, _Y = np.meshgrid(
    np.linspace(-1, 1, WIDTH, dtype=np.float32), np.linspace(-0.75, 0.75, HEIGHT, dtype=np.float32)
)


def draw_lesion(dx: str, rng: np.random.Generator) -> Image.Image:
    """A square of skin with a lesion of diagnosis `dx` in its middle."""
    canvas = Canvas(_skin(rng), rng, typical=float(rng.beta(3.5, 2)))
    PAINTERS[dx](canvas)
    if rng.random() < 0.35:
        hairs = strokes(rng, int(rng.integers(3, 16)), int(rng.integers(1, 3)), 0.05)
        canvas.lay((58, 44, 40), hairs * 0.8)
    channels = np.clip(canvas.pixels, 0, 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(channels.transpose(1, 2, 0)))


def photograph(lesion: Image.Image, rng: np.random.Generator) -> bytes:
    """A JPEG of 200 x 150 pixels: turned, zoomed, shifted, and lit in its own way."""
    framed = np.asarray(_frame(lesion, rng), dtype=np.float32)
    cast = rng.normal(1, 0.025, 3).astype(np.float32)
    lit = framed * cast * rng.normal(1, 0.07) * _light(rng)[..., None]
    grain = rng.normal(0, 2.2, (HEIGHT, WIDTH, 1)).astype(np.float32)
    pixels = np.clip(lit + grain, 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()


def _skin(rng: np.random.Generator) -> NDArray[np.float32]:
    """Healthy skin, float32 `[3, SIDE, SIDE]`: a tone, fine texture, and some flush."""
    shares = rng.dirichlet(np.ones(len(_SKIN))).astype(np.float32)
    base = shares @ _SKIN * np.float32(rng.uniform(0.88, 1.06))
    texture = 0.025 * noise(rng, 60) + 0.012 * noise(rng, 18) + 0.018 * noise(rng, 4)
    pixels: NDArray[np.float32] = base[:, None, None] * (1 + texture)
    flush = step_up(noise(rng, 50), 0.6, 1.5) * rng.uniform(0, 0.25)
    pixels += (_FLUSH[:, None, None] - pixels) * flush
    return pixels


def _frame(lesion: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A turned, mirrored and zoomed cut-out. The inverse map goes from photo to canvas."""
    turn = rng.uniform(0, 2 * np.pi)
    scale = PIXELS_PER_UNIT * rng.uniform(0.82, 1.1)
    mirror = rng.choice([-1.0, 1.0])
    a, b = scale * np.cos(turn) * mirror, -scale * np.sin(turn)
    d, e = scale * np.sin(turn) * mirror, scale * np.cos(turn)
    shift = PIXELS_PER_UNIT * np.clip(rng.normal(0, 6, 2), -10, 10)
    c = SIDE / 2 + shift[0] - a * WIDTH / 2 - b * HEIGHT / 2
    f = SIDE / 2 + shift[1] - d * WIDTH / 2 - e * HEIGHT / 2
    return lesion.transform(
        (WIDTH, HEIGHT),
        Image.Transform.AFFINE,
        (a, b, c, d, e, f),
        Image.Resampling.BICUBIC,
    )


def _light(rng: np.random.Generator) -> Field:
    """Uneven light, and the dark corners of the lens."""
    turn, tilt = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.08)
    uneven = 1 + tilt * (_X * np.cos(turn) + _Y * np.sin(turn))
    corners = step_up(np.hypot(_X, _Y), 1.15, 0.5) * rng.choice([0.0, 0.3, 0.75])
    result: Field = uneven * (1 - corners)
    return result

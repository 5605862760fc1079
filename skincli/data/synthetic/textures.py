"""The brushes of the synthetic set: noise, outlines, dots, vessels and networks on one canvas.

A canvas is a square of `SIDE` pixels that stands for `EXTENT` units of length, one unit being
about a pixel of the final photograph: lesions are drawn coarser than they are photographed, for
speed. Masks are float32 `[SIDE, SIDE]` from 0 to 1. Lengths are in units unless said otherwise.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Field = NDArray[np.floating[Any]]  # float32 in practice; numpy's stubs lose track of it
Colour = tuple[float, float, float]

SIDE: Final = 220
EXTENT: Final = 300
PIXELS_PER_UNIT: Final = SIDE / EXTENT
_AXIS: Final = (np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2) / np.float32(PIXELS_PER_UNIT)
_X, _Y = np.meshgrid(_AXIS, _AXIS)


@dataclass(frozen=True, slots=True)
class Outline:
    """`distance` is 0 at the centre of a lesion and 1 on its border; `radius` is its mean."""

    distance: Field
    radius: float

    def inside(self, softness: float) -> Field:
        """1 within the border, 0 outside; `softness` is the share of the radius in between."""
        return step_up(1 - self.distance, 0.0, softness)


def step_up(values: Field, middle: float, width: float) -> Field:
    """A smooth step from 0 to 1 around `middle`."""
    t = np.clip((values - middle) / width + 0.5, 0, 1)
    result: Field = t * t * (3 - 2 * t)
    return result


def noise(rng: np.random.Generator, cell: float) -> Field:
    """Smooth noise of mean 0 and deviation about 1, with bumps about `cell` units wide."""
    count = int(EXTENT / cell) + 4
    grid = rng.standard_normal((count, count)).astype(np.float32)
    shift = rng.uniform(0, 1, 2)
    box = (shift[0], shift[1], shift[0] + EXTENT / cell, shift[1] + EXTENT / cell)
    field = Image.fromarray(grid).resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)
    result: Field = np.asarray(field, dtype=np.float32) * 1.4
    return result


def outline(
    rng: np.random.Generator, radius: float, irregularity: float, elongation: float
) -> Outline:
    """A closed shape: a stretched circle whose border waves by a share `irregularity`."""
    x, y = _turned(rng.uniform(0, math.pi))
    away = np.hypot(x / elongation, y * elongation)
    heading = (x / elongation + 1j * y * elongation) / away
    border = np.ones_like(x)
    harmonic = heading
    for waves in range(2, 8):
        harmonic = harmonic * heading
        phase = rng.uniform(0, 2 * math.pi)
        height = irregularity * rng.normal() / waves**0.6
        border += height * (harmonic.real * math.cos(phase) - harmonic.imag * math.sin(phase))
    ragged = 1 + 0.35 * irregularity * noise(rng, 14)
    return Outline(away / (radius * np.maximum(border, 0.4)) * ragged, radius)


def dots(
    rng: np.random.Generator,
    count: int,
    size: tuple[float, float],
    reach: float,
    hole: float = 0.0,
) -> Field:
    """Round spots with radii in `size`, scattered from `hole` to `reach` around the centre."""
    image = Image.new("L", (SIDE, SIDE))
    pen = ImageDraw.Draw(image)
    for _ in range(count):
        angle = rng.uniform(0, 2 * math.pi)
        away = PIXELS_PER_UNIT * math.sqrt(rng.uniform(hole**2, reach**2))
        x, y = SIDE / 2 + away * math.cos(angle), SIDE / 2 + away * math.sin(angle)
        wide, high = PIXELS_PER_UNIT * rng.uniform(*size, 2)
        pen.ellipse((x - wide, y - high, x + wide, y + high), fill=255)
    return _softened(image, max(0.5, size[0] * 0.2))


def vessels(rng: np.random.Generator, count: int, reach: float, width: int) -> Field:
    """Branching lines, up to `width` pixels wide, that wander inwards from a distance `reach`."""
    image = Image.new("L", (SIDE, SIDE))
    tree = _Tree(rng, ImageDraw.Draw(image))
    away = PIXELS_PER_UNIT * reach
    for _ in range(count):
        angle = rng.uniform(0, 2 * math.pi)
        x, y = SIDE / 2 + away * math.cos(angle), SIDE / 2 + away * math.sin(angle)
        tree.grow(_Tip(x, y, angle + math.pi), away, width)
    return _softened(image, 0.7)


def strokes(rng: np.random.Generator, count: int, width: int, bend: float) -> Field:
    """Long curved lines, `width` pixels wide, anywhere on the canvas: hairs."""
    image = Image.new("L", (SIDE, SIDE))
    pen = ImageDraw.Draw(image)
    heading = rng.uniform(0, 2 * math.pi)
    for _ in range(count):
        x, y = rng.uniform(0, SIDE, 2)
        tip = _Tip(x, y, heading + rng.normal(0, 0.4))
        curve = rng.normal(0, bend)
        line = [(tip.x, tip.y)]
        for _ in range(int(rng.integers(8, 20))):
            tip = tip.ahead(8, curve)
            line.append((tip.x, tip.y))
        pen.line(line, fill=int(rng.integers(150, 256)), width=width, joint="curve")
    return _softened(image, 0.6)


def network(rng: np.random.Generator, spacing: float, disorder: float) -> Field:
    """A honeycomb of lines `spacing` units apart, bent by `disorder` units."""
    bent_x, bent_y = disorder * noise(rng, 24), disorder * noise(rng, 24)
    pitch = 4 * math.pi / (math.sqrt(3) * spacing)
    start = rng.uniform(0, math.pi)
    waves = np.zeros_like(bent_x)
    for turn in (start, start + math.pi / 3, start + 2 * math.pi / 3):
        along = (_X + bent_x) * math.cos(turn) + (_Y + bent_y) * math.sin(turn)
        waves += np.cos(pitch * along)
    return 1 - step_up(waves, -0.2, 2.4)


def slope(rng: np.random.Generator) -> Field:
    """A plane from about -1 to 1 across the canvas, in a random direction."""
    x, _ = _turned(rng.uniform(0, 2 * math.pi))
    return x / np.float32(EXTENT / 2)


def _turned(angle: float) -> tuple[Field, Field]:
    """The coordinates of the canvas, turned. Scalars of `math` keep the arrays float32."""
    cos, sin = math.cos(angle), math.sin(angle)
    return _X * cos + _Y * sin, _Y * cos - _X * sin


@dataclass(frozen=True, slots=True)
class _Tip:
    """The growing end of a vessel: where it is in pixels, and where it is heading."""

    x: float
    y: float
    heading: float

    def ahead(self, distance: float, turn: float) -> "_Tip":
        heading = self.heading + turn
        x, y = self.x + distance * math.cos(heading), self.y + distance * math.sin(heading)
        return _Tip(x, y, heading)


@dataclass(frozen=True, slots=True)
class _Tree:
    rng: np.random.Generator
    pen: ImageDraw.ImageDraw

    def grow(self, tip: _Tip, length: float, width: int) -> None:
        for _ in range(int(length / 6)):
            onward = tip.ahead(5, self.rng.normal(0, 0.35))
            self.pen.line((tip.x, tip.y, onward.x, onward.y), fill=255, width=width)
            tip = onward
            if width > 1 and self.rng.random() < 0.25:
                side = 0.8 if self.rng.random() < 0.5 else -0.8
                self.grow(tip.ahead(0, side), length * 0.5, width - 1)


def _softened(image: Image.Image, radius: float) -> Field:
    blurred = image.filter(ImageFilter.GaussianBlur(radius))
    result: Field = np.asarray(blurred, dtype=np.float32) / 255
    return result

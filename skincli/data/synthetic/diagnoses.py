"""How each diagnosis of the synthetic set is painted onto skin.

Loosely after the dermatoscopic criteria of Kittler et al. 2016 (doi:10.1016/j.jaad.2015.07.038).
A lesion's `typical` share, from 0 to 1, says how clearly it shows them: atypical ones overlap
with other diagnoses, as real ones do. Colours are RGB from 0 to 255.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skincli.data.synthetic.textures import (
    Colour,
    Field,
    Outline,
    dots,
    network,
    noise,
    outline,
    slope,
    step_up,
    vessels,
)

_BROWNS: Final = ((172, 116, 84), (150, 98, 68), (126, 80, 56), (104, 64, 48), (178, 112, 96))


@dataclass(slots=True)
class Canvas:
    """Skin on which a lesion is painted: float32 `[3, side, side]`, RGB from 0 to 255."""

    pixels: NDArray[np.float32]
    rng: np.random.Generator
    typical: float

    def lay(self, colour: Colour, cover: Field) -> None:
        """Paint a colour where `cover` (0 to 1) says."""
        for plane, level in enumerate(colour):
            self.pixels[plane] += (level - self.pixels[plane]) * cover

    def shade(self, amount: Field) -> None:
        """Brighten (above 0) or darken by a share."""
        self.pixels *= 1 + amount

    def shape(self, radius: tuple[float, float], irregularity: float, longest: float) -> Outline:
        elongation = self.rng.uniform(1.0, longest)
        return outline(self.rng, self.rng.uniform(*radius), irregularity, elongation)

    def varied(self, colour: Colour, spread: float) -> Colour:
        """The colour, lighter or darker, and a little redder or yellower."""
        light, tint = self.rng.normal(0, spread), self.rng.normal(0, 0.3 * spread)
        red, green, blue = colour
        return red + light + tint, green + light, blue + light - tint

    def brown(self) -> Colour:
        return self.varied(_BROWNS[self.rng.integers(len(_BROWNS))], 10)


def _nevus(canvas: Canvas) -> None:
    rng, typical = canvas.rng, canvas.typical
    shape = canvas.shape((36, 64), rng.uniform(0.03, 0.10) + 0.12 * (1 - typical), 1.3)
    body = shape.inside(rng.uniform(0.3, 0.7))
    canvas.lay(canvas.brown(), body * rng.uniform(0.6, 0.95))
    centre = 1 - step_up(shape.distance, 0.5, 0.9)
    canvas.shade(body * centre * rng.uniform(-0.4, 0.08))
    lines = network(rng, rng.uniform(5.5, 8.5), 3) * step_up(noise(rng, 40), -0.8, 1.5)
    canvas.shade(-body * lines * rng.uniform(0.1, 0.3) * typical)
    canvas.shade(body * 0.08 * noise(rng, 12))
    if rng.random() < 0.5 * (1 - typical):
        blotch = step_up(noise(rng, 30), 0.7, 1.4)
        canvas.lay((70, 44, 40), body * blotch * 0.7)


def _melanoma(canvas: Canvas) -> None:
    rng, typical = canvas.rng, canvas.typical
    shape = canvas.shape((42, 74), 0.06 + 0.14 * typical, 1.4)
    body = shape.inside(rng.uniform(0.25, 0.6))
    canvas.lay(canvas.brown(), body * 0.9)
    canvas.shade(body * slope(rng) * 0.5 * typical)
    canvas.shade(-body * network(rng, rng.uniform(6, 10), 6) * 0.22)
    patches: tuple[tuple[Colour, float, float], ...] = (
        ((56, 38, 36), 0.1, 0.85),
        ((104, 104, 122), 0.75, 0.7),
        ((172, 98, 88), 0.9, 0.5),
        ((212, 184, 172), 1.2, 0.5),
    )
    early = rng.random() < 0.25  # as brown as a nevus, only darker in places
    for colour, rarity, cover in patches[:1] if early else patches:
        field = noise(rng, rng.uniform(26, 44)) + 0.35 * noise(rng, 9)
        patch = step_up(field, rarity + 1.1 * (1 - typical), 1.5)
        canvas.lay(canvas.varied(colour, 6), body * patch * cover)
    spots = dots(rng, int(rng.integers(3, 14)), (1.2, 3), shape.radius, 0.5 * shape.radius)
    canvas.lay((52, 38, 38), body * spots * 0.6)
    canvas.shade(body * 0.07 * noise(rng, 8))


def _basal_cell(canvas: Canvas) -> None:
    rng, typical = canvas.rng, canvas.typical
    shape = canvas.shape((38, 66), 0.12, 1.35)
    body = shape.inside(0.8)
    canvas.lay(canvas.varied((220, 152, 144), 8), body * rng.uniform(0.45, 0.85))
    canvas.shade(body * (0.06 * noise(rng, 22) + 0.05 * noise(rng, 8)))
    if rng.random() < 0.25 + 0.5 * typical:
        nests = dots(rng, int(rng.integers(3, 14)), (2.5, 8), 0.85 * shape.radius)
        ragged = nests * step_up(noise(rng, 7), -0.9, 2.0)
        canvas.lay((102, 98, 112), body * ragged * rng.uniform(0.45, 0.8))
    gleam = step_up(noise(rng, 12), 1.0, 1.4)
    canvas.lay((250, 230, 224), body * gleam * 0.6 * typical)
    tree = vessels(rng, int(rng.integers(2, 7)), 1.05 * shape.radius, 2 + int(rng.random() < 0.3))
    canvas.lay((178, 66, 68), tree * (0.2 + 0.45 * typical))


def _actinic(canvas: Canvas) -> None:
    rng, typical = canvas.rng, canvas.typical
    shape = canvas.shape((44, 80), 0.16, 1.4)
    body = shape.inside(1.0)
    canvas.lay(canvas.varied((206, 128, 114), 8), body * rng.uniform(0.45, 0.8))
    canvas.lay((188, 88, 82), body * step_up(noise(rng, 8), 0.3, 1.8) * 0.45 * typical)
    scale = step_up(noise(rng, 14) + 0.7 * noise(rng, 5), 1.1, 1.3)
    canvas.lay((240, 226, 204), body * scale * (0.15 + 0.6 * typical))
    if rng.random() < 0.4:
        canvas.lay(canvas.brown(), body * step_up(noise(rng, 30), 0.3, 1.6) * 0.5)
    points = dots(rng, int(rng.integers(10, 40)), (0.8, 1.8), shape.radius)
    canvas.lay((168, 56, 58), body * points * 0.5 * typical)


def _keratosis(canvas: Canvas) -> None:
    rng, typical = canvas.rng, canvas.typical
    shape = canvas.shape((40, 72), 0.1, 1.4)
    body = shape.inside(0.1 + 0.6 * (1 - typical))
    if rng.random() < 0.35:
        canvas.lay(canvas.brown(), body * 0.85)
    canvas.lay(canvas.varied((184, 142, 106), 10), body * (0.2 + 0.65 * typical))
    canvas.shade(body * (0.09 * noise(rng, 14) + 0.06 * noise(rng, 5)))
    ridges = 1 - step_up(np.abs(noise(rng, rng.uniform(9, 16))), 0.25, 0.6)
    canvas.shade(-body * ridges * rng.uniform(0.1, 0.35) * typical)
    plugs = dots(rng, int(rng.integers(3, 16)), (1.2, 3.5), 0.9 * shape.radius)
    canvas.lay((92, 66, 52), body * plugs * 0.65 * typical)
    milia = dots(rng, int(rng.integers(4, 24)), (1, 2.6), 0.9 * shape.radius)
    canvas.lay((244, 228, 200), body * milia * 0.75 * typical)


def _dermatofibroma(canvas: Canvas) -> None:
    rng, typical = canvas.rng, canvas.typical
    shape = canvas.shape((34, 58), 0.07, 1.2)
    body = shape.inside(0.8)
    canvas.lay(canvas.varied((182, 128, 104), 9), body * rng.uniform(0.5, 0.85))
    rim = body * step_up(shape.distance, 0.5, 0.6)
    canvas.shade(-rim * network(rng, rng.uniform(5.5, 8), 2.5) * 0.28 * typical)
    ragged = shape.distance + 0.14 * noise(rng, 14) + 0.06 * noise(rng, 5)
    scar = 1 - step_up(ragged, rng.uniform(0.3, 0.5), 0.5)
    canvas.lay((236, 214, 204), scar * (0.1 + 0.75 * typical))
    canvas.lay((210, 138, 130), body * step_up(noise(rng, 20), 0.5, 1.8) * 0.4)


def _vascular(canvas: Canvas) -> None:
    rng, typical = canvas.rng, canvas.typical
    shape = canvas.shape((28, 58), 0.1, 1.3)
    body = shape.inside(0.5)
    canvas.lay(canvas.varied((196, 96, 94), 8), body * rng.uniform(0.4, 0.85))
    colours: tuple[Colour, ...] = ((158, 40, 52), (124, 36, 66), (84, 42, 80))
    for colour in colours[: 1 + int(rng.integers(3))]:
        size = (0.08 * shape.radius, 0.26 * shape.radius)
        lakes = dots(rng, int(rng.integers(4, 16)), size, 0.85 * shape.radius)
        ragged = lakes * step_up(noise(rng, 9), -1.2, 1.6)
        canvas.lay(canvas.varied(colour, 6), body * ragged * (0.25 + 0.6 * typical))
    haze = step_up(noise(rng, 16), 0.8, 1.6)
    canvas.lay((222, 170, 166), body * haze * 0.5)


PAINTERS: Final[Mapping[str, Callable[[Canvas], None]]] = {
    "akiec": _actinic,
    "bcc": _basal_cell,
    "bkl": _keratosis,
    "df": _dermatofibroma,
    "mel": _melanoma,
    "nv": _nevus,
    "vasc": _vascular,
}

"""Drawn pictures and the files made of them."""

import io

import numpy as np
from PIL import Image

from skincli.imaging import Limits

LIMITS = Limits(max_bytes=2_000_000, max_pixels=1_000_000)


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def gradient(width: int = 60, height: int = 40) -> Image.Image:
    x = np.linspace(0, 255, width)[None, :].repeat(height, 0)
    y = np.linspace(0, 255, height)[:, None].repeat(width, 1)
    return Image.fromarray(np.stack([x, y, 255 - x], -1).astype(np.uint8))


def textured(width: int, height: int, seed: int = 0) -> Image.Image:
    """A gradient with noise, which no decoder can smooth over."""
    noise = np.random.default_rng(seed).integers(-60, 60, (height, width, 3))
    return Image.fromarray((np.asarray(gradient(width, height)) + noise).clip(0, 255).astype("u1"))


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif

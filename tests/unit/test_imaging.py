"""Bytes to pixels: what is accepted comes out right, everything else is refused with a reason."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from skincli.errors import ImageError
from skincli.imaging import Limits, decode, network_input, read_input

LIMITS = Limits(max_bytes=2_000_000, max_pixels=1_000_000)


def encode(image, kind="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def gradient(width=60, height=40):
    x = np.linspace(0, 255, width)[None, :].repeat(height, 0)
    y = np.linspace(0, 255, height)[:, None].repeat(width, 1)
    return Image.fromarray(np.stack([x, y, 255 - x], -1).astype(np.uint8))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "JPEG", "WEBP"])
def test_every_supported_format_gives_the_same_picture(kind):
    options = {"quality": 95} if kind in ("JPEG", "WEBP") else {}
    pixels = read_input(encode(gradient(), kind, **options), 32, "center", LIMITS)
    assert pixels.shape == (32, 32, 3)
    assert pixels.dtype == np.uint8
    exact = network_input(gradient(), 32, "center")
    assert np.abs(pixels.astype(int) - exact).mean() < 3


def test_center_keeps_the_middle_and_whole_keeps_the_edges():
    image = Image.new("RGB", (90, 30), "red")
    image.paste("blue", (30, 0, 60, 30))
    assert (network_input(image, 16, "center")[:, :, 2] > 200).all()
    whole = network_input(image, 30, "whole")
    assert whole[15, 0, 0] > 200
    assert whole[15, 15, 2] > 200


def test_sixteen_bit_grey_is_scaled_not_clipped():
    levels = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    image = decode(encode(Image.fromarray(levels)), LIMITS)
    grey = np.asarray(image)[..., 0]
    assert abs(int(grey.mean()) - 127) <= 1


def test_orientation_is_honoured_transparency_lies_on_white_and_modes_become_rgb():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(encode(gradient(60, 40), "JPEG", exif=exif), LIMITS).size == (40, 60)
    clear = decode(encode(Image.new("RGBA", (4, 4), (0, 0, 0, 0))), LIMITS)
    assert clear.getpixel((0, 0)) == (255, 255, 255)
    for mode in ("L", "P", "1", "LA"):
        assert decode(encode(gradient().convert(mode)), LIMITS).mode == "RGB"
    assert decode(encode(gradient().convert("CMYK"), "JPEG"), LIMITS).mode == "RGB"


def test_a_large_jpeg_read_small_is_close_to_one_read_whole():
    data = encode(gradient(900, 600), "JPEG", quality=95)
    small = read_input(data, 64, "center", LIMITS)
    whole = network_input(decode(data, LIMITS), 64, "center")
    assert np.abs(small.astype(int) - whole).max() <= 4


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"hello, I am no image" * 10, "not_an_image"),
        (encode(gradient(), "GIF"), "not_an_image"),
        (encode(gradient(400, 300), "JPEG")[:2000], "damaged"),
        (encode(gradient(400, 300))[:-200], "damaged"),
        (encode(gradient()) + b"\0" * 2_000_000, "too_many_bytes"),
        (encode(Image.new("1", (2000, 2000))), "too_many_pixels"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(data, reason):
    with pytest.raises(ImageError) as caught:
        read_input(data, 32, "center", LIMITS)
    assert caught.value.reason == reason


@given(st.binary(max_size=300), st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "TIFF"]))
def test_mutated_images_are_read_or_refused_never_anything_else(noise, kind):
    data = bytearray(encode(gradient(), kind))
    start = len(noise) % max(1, len(data) - len(noise))
    data[start : start + len(noise)] = noise
    with contextlib.suppress(ImageError):
        assert read_input(bytes(data), 16, "whole", LIMITS).shape == (16, 16, 3)

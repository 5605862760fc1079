"""Bytes to pixels: what is accepted comes out right, everything else is refused with a reason."""

import numpy as np
import pytest
from pictures import LIMITS, encode, gradient, textured, turned
from PIL import Image

from skincli.errors import ImageError
from skincli.imaging import decode, network_input, read_input


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "JPEG", "WEBP"])
def test_every_supported_format_gives_the_same_picture(kind):
    options = {"quality": 95} if kind in ("JPEG", "WEBP") else {}
    pixels = read_input(encode(gradient(), kind, **options), 32, "center", LIMITS)
    assert pixels.shape == (32, 32, 3)
    assert pixels.dtype == np.uint8
    exact = network_input(gradient(), 32, "center")
    assert np.abs(pixels.astype(int) - exact).mean() < 3


def test_sixteen_bit_grey_is_scaled_not_clipped():
    levels = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    for kind in ("PNG", "TIFF"):
        grey = np.asarray(decode(encode(Image.fromarray(levels), kind), LIMITS))[..., 0]
        assert np.abs(grey - levels / 257).max() < 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_picture_is_turned_upright_as_its_exif_says(kind, orientation):
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95}}.get(kind, {})
    stored = textured(60, 40)
    x, y = [(0, 0), (59, 0), (59, 39), (0, 39), (0, 0), (0, 39), (59, 39), (59, 0)][orientation - 1]
    stored.paste("white", (max(0, x - 7), max(0, y - 7), x + 8, y + 8))
    upright = decode(encode(stored, kind, exif=turned(orientation), **options), LIMITS)
    assert upright.size == ((40, 60) if orientation >= 5 else (60, 40))
    # What lay at that corner of the sensor is the top left of the scene.
    assert np.asarray(upright)[:6, :6].min() > 200


def test_transparency_lies_on_white_and_every_mode_becomes_rgb():
    clear = decode(encode(Image.new("RGBA", (4, 4), (0, 0, 0, 0))), LIMITS)
    assert clear.getpixel((0, 0)) == (255, 255, 255)
    for mode in ("L", "P", "1", "LA"):
        assert decode(encode(gradient().convert(mode)), LIMITS).mode == "RGB"


def test_cmyk_comes_out_in_its_own_colours():
    for kind in ("JPEG", "TIFF"):
        image = decode(encode(gradient().convert("CMYK"), kind), LIMITS)
        assert image.mode == "RGB"
        assert np.abs(np.asarray(image).astype(int) - np.asarray(gradient())).mean() < 4


def test_of_several_frames_the_first_is_the_picture():
    first, second = gradient(), Image.new("RGB", (60, 40), "lime")
    for kind in ("PNG", "TIFF", "WEBP", "MPO"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = encode(first, kind, save_all=True, append_images=[second, second], **options)
        assert np.abs(np.asarray(decode(data, LIMITS)).astype(int) - np.asarray(first)).mean() < 3


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"hello, I am no image" * 10, "not_an_image"),
        (encode(gradient(), "GIF"), "not_an_image"),
        (b"\xff\xd8\xff", "not_an_image"),
        (encode(gradient(400, 300))[:-200], "damaged"),
        (encode(Image.fromarray(np.zeros((4, 4), np.float32)), "TIFF"), "unsupported_format"),
        (encode(gradient()) + b"\0" * 2_000_000, "too_many_bytes"),
        (encode(Image.new("1", (2000, 2000))), "too_many_pixels"),
        (encode(Image.new("L", (2000, 2000)), "JPEG"), "too_many_pixels"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(data, reason):
    with pytest.raises(ImageError) as caught:
        read_input(data, 32, "center", LIMITS)
    assert caught.value.reason == reason

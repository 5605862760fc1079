"""The crop rules: what of a frame the network sees, and where."""

import numpy as np
import pytest
from pictures import LIMITS, encode, gradient, textured
from PIL import Image

from skincli.imaging import network_input, read_picture


def test_center_keeps_the_middle_and_whole_keeps_the_edges():
    image = Image.new("RGB", (90, 30), "red")
    image.paste("blue", (30, 0, 60, 30))
    assert (network_input(image, 16, "center")[:, :, 2] > 200).all()
    whole = network_input(image, 30, "whole")
    assert whole[15, 0, 0] > 200
    assert whole[15, 15, 2] > 200


@pytest.mark.parametrize(
    ("width", "height", "size", "box"),
    [
        (600, 450, 224, (0, 28, 224, 196)),
        (450, 600, 224, (28, 0, 196, 224)),
        (64, 64, 64, (0, 0, 64, 64)),
        (101, 67, 33, (0, 5, 33, 27)),
        (7, 5, 32, (0, 4, 32, 27)),
        (5, 7, 32, (4, 0, 27, 32)),
        (1, 1, 16, (0, 0, 16, 16)),
        (1000, 1, 32, (0, 15, 32, 16)),
        (1, 1000, 31, (15, 0, 16, 31)),
        (200, 3, 40, (0, 19, 40, 20)),
    ],
)
def test_letterbox_shows_the_whole_frame_centred_on_black(width, height, size, box):
    square = network_input(Image.new("RGB", (width, height), "white"), size, "letterbox")
    assert square.shape == (size, size, 3)
    assert square.dtype == np.uint8
    left, top, right, bottom = box
    expected = np.zeros_like(square)
    expected[top:bottom, left:right] = 255
    assert (square == expected).all()


def test_letterbox_keeps_the_proportions_and_the_edges():
    image = textured(120, 80)
    square = network_input(image, 60, "letterbox")
    exact = np.asarray(image.resize((60, 40), Image.Resampling.BICUBIC))
    assert (square[10:50] == exact).all()


def test_a_square_frame_looks_the_same_under_every_rule():
    image = textured(90, 90)
    inputs = [network_input(image, 32, crop) for crop in ("center", "whole", "letterbox")]
    assert (inputs[0] == inputs[1]).all()
    assert (inputs[0] == inputs[2]).all()


@pytest.mark.parametrize("crop", ["center", "whole", "letterbox"])
def test_the_picture_under_a_heat_map_shows_what_the_network_sees(crop):
    data = encode(gradient(300, 180), "PNG")
    seen = network_input(gradient(300, 180), 64, crop)
    shown = read_picture(data, 64, crop, LIMITS)
    assert shown.shape == (256, 256, 3)
    smaller = np.asarray(Image.fromarray(shown).resize((64, 64), Image.Resampling.BOX))
    # At the edge of the padding, the two scales round differently.
    assert np.abs(smaller.astype(int) - seen).mean() < 2

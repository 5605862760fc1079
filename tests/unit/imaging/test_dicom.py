"""DICOM files come out as their photometric interpretation says."""

import subprocess
import sys

import numpy as np
import pytest
from dicoms import dicom, encapsulated
from pictures import LIMITS, encode, gradient, textured
from PIL import Image
from pydicom.pixels import convert_color_space
from pydicom.uid import (
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
)

from skincli.imaging import decode, read_header

COLOUR = np.asarray(textured(60, 40))
GREY = np.asarray(textured(60, 40).convert("L"))
DEEP = np.linspace(0, 4095, 2400).reshape(40, 60).astype(np.uint16)
TWELVE_BITS = {"BitsStored": 12, "HighBit": 11}


def grey_of(data: bytes) -> np.ndarray:
    pixels = np.asarray(decode(data, LIMITS)).astype(int)
    assert (pixels[..., 0] == pixels[..., 1]).all()
    assert (pixels[..., 0] == pixels[..., 2]).all()
    return pixels[..., 0]


def pixels_of(data: bytes) -> np.ndarray:
    return np.asarray(decode(data, LIMITS)).astype(int)


def test_monochrome_is_shown_as_it_is_and_monochrome1_inverted():
    assert (grey_of(dicom(GREY, "MONOCHROME2")) == GREY).all()
    assert (grey_of(dicom(GREY, "MONOCHROME1")) == 255 - GREY.astype(int)).all()


def test_without_a_window_all_stored_bits_are_shown():
    assert np.abs(grey_of(dicom(DEEP, "MONOCHROME2", **TWELVE_BITS)) - DEEP / 4095 * 255).max() <= 1
    signed = (DEEP.astype(np.int32) - 2048).astype(np.int16)
    shown = grey_of(dicom(signed, "MONOCHROME2", **TWELVE_BITS))
    assert np.abs(shown - DEEP / 4095 * 255).max() <= 1


@pytest.mark.parametrize(
    ("window", "low", "high"),
    [
        ({"WindowCenter": 1000, "WindowWidth": 500}, 750, 1249),
        ({"WindowCenter": 1000, "WindowWidth": 500, "VOILUTFunction": "LINEAR_EXACT"}, 750, 1250),
        ({"WindowCenter": [1000, 9], "WindowWidth": [500, 9]}, 750, 1249),
        (
            {"WindowCenter": 900, "WindowWidth": 1000, "RescaleSlope": 2, "RescaleIntercept": -600},
            500,
            999.5,
        ),
    ],
)
def test_a_window_cuts_and_stretches_the_grey_levels(window, low, high):
    expected = ((DEEP.astype(float) - low) / (high - low)).clip(0, 1) * 255
    shown = grey_of(dicom(DEEP, "MONOCHROME2", **TWELVE_BITS, **window))
    assert np.abs(shown - expected).max() <= 1


def test_a_linear_window_ends_one_level_before_an_exact_one():
    levels = np.arange(6, dtype=np.uint8)[None]
    window = {"WindowCenter": 2, "WindowWidth": 4}
    assert grey_of(dicom(levels, "MONOCHROME2", **window)).tolist() == [[0, 85, 170, 255, 255, 255]]
    exact = dicom(levels, "MONOCHROME2", **window, VOILUTFunction="LINEAR_EXACT")
    assert grey_of(exact).tolist() == [[0, 64, 128, 191, 255, 255]]


def test_a_falling_rescale_turns_light_into_dark():
    falling = {"RescaleSlope": -1, "RescaleIntercept": 255}
    assert (grey_of(dicom(GREY, "MONOCHROME2", **falling)) == 255 - GREY.astype(int)).all()


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_colour_is_read_in_either_byte_order_and_planar_configuration(syntax):
    assert (pixels_of(dicom(COLOUR, "RGB", syntax=syntax)) == COLOUR).all()
    planes = np.moveaxis(COLOUR, 2, 0).tobytes()
    planar = dicom(COLOUR, "RGB", syntax=syntax, stored=planes, PlanarConfiguration=1)
    assert (pixels_of(planar) == COLOUR).all()


def test_sixteen_bit_colour_is_scaled():
    deep = COLOUR.astype(np.uint16) * 257
    data = dicom(deep, "RGB")
    assert (pixels_of(data) == COLOUR).all()
    assert read_header(data, LIMITS).conversions == ("16-bit",)


def test_luminance_and_chrominance_become_rgb():
    full = convert_color_space(COLOUR, "RGB", "YBR_FULL")
    assert np.abs(pixels_of(dicom(full, "YBR_FULL")) - COLOUR).max() <= 2
    smooth = np.asarray(gradient())
    full = convert_color_space(smooth, "RGB", "YBR_FULL")
    # Two pixels share their chrominance: Y1 Y2 Cb Cr (PS3.3, C.7.6.3.1.2).
    pairs = np.stack([full[:, ::2, 0], full[:, 1::2, 0], full[:, ::2, 1], full[:, ::2, 2]], -1)
    halved = dicom(full, "YBR_FULL_422", stored=pairs.tobytes())
    assert np.abs(pixels_of(halved) - smooth).mean() < 3


@pytest.mark.parametrize("bits", [8, 16])
def test_palette_colours_are_looked_up(bits):
    tables = {}
    for shift, name in enumerate(("Red", "Green", "Blue")):
        levels = np.roll(np.arange(256), 40 * shift)
        table = levels.astype(np.uint8) if bits == 8 else (levels * 257).astype(np.uint16)
        tables[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
        tables[f"{name}PaletteColorLookupTableData"] = table.tobytes()
    expected = np.stack([np.roll(np.arange(256), 40 * n)[GREY] for n in range(3)], -1)
    data = dicom(GREY, "PALETTE COLOR", **tables)
    assert (pixels_of(data) == expected).all()
    assert read_header(data, LIMITS).conversions == ("palette",)


def test_jpeg_inside_is_read_in_its_own_colours():
    image = Image.fromarray(COLOUR)
    ycbcr, rgb = (
        encode(image, "JPEG", quality=95, subsampling=0, **options)
        for options in ({}, {"keep_rgb": True})
    )
    for data, photometric in ((ycbcr, "YBR_FULL_422"), (rgb, "RGB")):
        shown = pixels_of(encapsulated(data, COLOUR, photometric, JPEGBaseline8Bit))
        assert np.abs(shown - COLOUR).mean() < 4
    grey = encode(Image.fromarray(GREY), "JPEG", quality=95)
    shown = grey_of(encapsulated(grey, GREY, "MONOCHROME2", JPEGBaseline8Bit))
    assert np.abs(shown - GREY).mean() < 4


def test_jpeg_2000_inside_is_read_without_loss():
    data = encode(Image.fromarray(COLOUR), "JPEG2000", no_jp2=True)
    assert (pixels_of(encapsulated(data, COLOUR, "YBR_RCT", JPEG2000Lossless)) == COLOUR).all()


def test_the_header_tells_what_the_file_is_before_its_pixels_are_read():
    header = read_header(dicom(DEEP, "MONOCHROME2", **TWELVE_BITS), LIMITS)
    assert (header.format, header.mode, header.bits) == ("DICOM", "MONOCHROME2", 12)
    assert (header.width, header.height) == (60, 40)
    assert header.conversions == ("grayscale", "16-bit")


def test_pydicom_is_imported_only_when_a_dicom_file_is_met():
    script = """
import io, sys
from PIL import Image
from skincli.imaging import Limits, read_input
stream = io.BytesIO()
Image.new("RGB", (40, 40)).save(stream, "JPEG")
read_input(stream.getvalue(), 16, "center", Limits(10**6, 10**6))
assert "pydicom" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)

"""DICOM files that cannot be shown as they should are refused, and say why."""

import sys

import numpy as np
import pytest
from dicoms import dicom, encapsulated
from pictures import LIMITS, encode, gradient, textured
from PIL import Image
from pydicom import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

from skincli.errors import ImageError
from skincli.imaging import read_input

COLOUR = np.asarray(textured(60, 40))
GREY = np.asarray(textured(60, 40).convert("L"))


def refused(data: bytes) -> ImageError:
    with pytest.raises(ImageError) as caught:
        read_input(data, 32, "center", LIMITS)
    return caught.value


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (dicom(GREY, "MONOCHROME2", NumberOfFrames=2, stored=GREY.tobytes() * 2), "2 frames"),
        (dicom(COLOUR, "HSV"), "HSV"),
        (dicom(GREY, "MONOCHROME2", VOILUTFunction="SIGMOID"), "SIGMOID"),
        (dicom(GREY, "MONOCHROME2", VOILUTSequence=[Dataset()]), "VOILUTSequence"),
        (dicom(GREY.astype(np.uint32), "MONOCHROME2"), "32 bits"),
        (dicom(GREY, "MONOCHROME2", syntax=DeflatedExplicitVRLittleEndian), "deflated"),
        (encapsulated(b"\0" * 64, GREY, "MONOCHROME2", RLELossless), "RLE Lossless"),
    ],
    ids=["frames", "colours", "window", "table", "bits", "deflated", "run lengths"],
)
def test_what_is_not_read_is_refused_by_name(data, words):
    error = refused(data)
    assert error.reason == "unsupported_format"
    assert words in error.message


def test_a_file_without_a_picture_is_refused():
    whole = dicom(GREY, "MONOCHROME2")
    assert refused(whole[: whole.index(b"\xe0\x7f\x10\x00")]).reason == "unsupported_format"


@pytest.mark.parametrize(
    "data",
    [
        dicom(GREY, "MONOCHROME2")[:-100],
        dicom(GREY, "RGB"),
        dicom(GREY, "MONOCHROME2", Rows=0),
        dicom(GREY, "MONOCHROME2", WindowCenter=1, WindowWidth=-5),
        dicom(GREY, "MONOCHROME2", WindowCenter=float("nan"), WindowWidth=5),
        dicom(GREY, "PALETTE COLOR"),
        encapsulated(encode(gradient(), "JPEG")[:-300], COLOUR, "YBR_FULL_422", JPEGBaseline8Bit),
    ],
    ids=["cut", "channels", "empty", "window", "nan", "no palette", "cut jpeg"],
)
def test_a_damaged_file_is_refused(data):
    assert refused(data).reason == "damaged"


def test_the_limits_hold_before_pixels_are_read():
    assert refused(dicom(GREY, "MONOCHROME2", Rows=2000, Columns=2000)).reason == "too_many_pixels"
    large = encode(Image.new("RGB", (2000, 2000)), "JPEG")
    error = refused(encapsulated(large, COLOUR, "YBR_FULL_422", JPEGBaseline8Bit))
    assert error.reason == "damaged"
    assert "2000 x 2000" in error.message


def test_without_pydicom_the_way_to_it_is_named(monkeypatch):
    data = dicom(GREY, "MONOCHROME2")
    monkeypatch.setitem(sys.modules, "pydicom", None)
    error = refused(data)
    assert error.reason == "unsupported_format"
    assert "pip install 'skincli[dicom]'" in error.message

"""Whatever the bytes are, there comes an image or an ImageError, and nothing else."""

import numpy as np
import pytest
from dicoms import dicom, encapsulated
from hypothesis import given
from hypothesis import strategies as st
from pictures import LIMITS, encode, gradient, textured, turned
from pydicom.uid import JPEGBaseline8Bit

from skincli.errors import ImageError
from skincli.imaging import read_header, read_input

COLOUR = np.asarray(textured(24, 20))
FILES = {
    "jpeg": encode(gradient(), "JPEG"),
    "jpeg with exif": encode(gradient(), "JPEG", exif=turned(6)),
    "progressive jpeg": encode(gradient(), "JPEG", progressive=True),
    "cmyk jpeg": encode(gradient().convert("CMYK"), "JPEG"),
    "png": encode(gradient(), "PNG"),
    "webp": encode(gradient(), "WEBP"),
    "bmp": encode(gradient(), "BMP"),
    "tiff": encode(gradient(), "TIFF", save_all=True, append_images=[gradient()]),
    "dicom": dicom(COLOUR, "RGB"),
    "dicom in grey": dicom(COLOUR[..., 0], "MONOCHROME1", WindowCenter=90, WindowWidth=60),
    "dicom around a jpeg": encapsulated(
        encode(textured(24, 20), "JPEG"), COLOUR, "YBR_FULL_422", JPEGBaseline8Bit
    ),
}


def assert_read_or_refused(data: bytes) -> None:
    try:
        header = read_header(data, LIMITS)
        pixels = read_input(data, 16, "letterbox", LIMITS)
    except ImageError:
        return
    assert pixels.shape == (16, 16, 3)
    assert pixels.dtype == np.uint8
    assert header.width * header.height <= LIMITS.max_pixels


@given(st.binary(max_size=400))
def test_random_bytes(data):
    assert_read_or_refused(data)


@given(st.binary(max_size=200), st.sampled_from([b"\xff\xd8\xff\xe0", b"\0" * 128 + b"DICM"]))
def test_random_bytes_behind_a_known_beginning(data, beginning):
    assert_read_or_refused(beginning + data)


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
def test_mutated_images(name, data):
    image = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 4))):
        # Half of the changes hit the first bytes, where most of the meaning is.
        end = data.draw(st.sampled_from([min(400, len(image)), len(image)]))
        start = data.draw(st.integers(0, end - 1))
        noise = data.draw(st.binary(max_size=12))
        removed = data.draw(st.sampled_from([0, len(noise), 40]))
        image[start : start + removed] = noise
    assert_read_or_refused(bytes(image))


@pytest.mark.parametrize("name", FILES)
@given(share=st.floats(0, 1))
def test_images_cut_anywhere(name, share):
    whole = FILES[name]
    assert_read_or_refused(whole[: int(share * len(whole))])

"""The fast JPEG decoder gives Pillow's pixels, and is stricter on what is missing."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pictures import LIMITS, encode, gradient, textured, turned
from PIL import Image, ImageOps

from skincli.errors import ImageError
from skincli.imaging import Header, Limits, decode, network_input, raster, read_header, read_input
from skincli.imaging.essence import Essence
from skincli.imaging.jpeg import JpegImage


def by_pillow(data: bytes, at_least: int | None = None) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    if at_least is not None:
        image.draft("RGB", (2 * at_least, 2 * at_least))
    return ImageOps.exif_transpose(image).convert("RGB")


def assert_equal_to_pillow(data: bytes, limits: Limits = LIMITS) -> None:
    for at_least in (None, 16, 64, 224):
        expected = np.asarray(by_pillow(data, at_least))
        assert (np.asarray(decode(data, limits, at_least)) == expected).all()


@pytest.fixture
def no_pillow_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails a test whose JPEG is left to Pillow."""

    def refuse(*_: object) -> None:
        raise AssertionError("Pillow decoded")

    monkeypatch.setattr(raster.RasterImage, "decode", refuse)


def test_real_images_come_out_as_from_pillow_bit_for_bit(real_data: Path, no_pillow_decoding):
    large = sorted((real_data / "ham10000-600x450").glob("*.jpg"))[:50]
    with zipfile.ZipFile(real_data / "ham10000-200x150" / "HAM10000_images_part_1.zip") as archive:
        small = [archive.read(name) for name in archive.namelist()[:50]]
    for data in [path.read_bytes() for path in large] + small:
        assert_equal_to_pillow(data)


@pytest.mark.parametrize(
    "options",
    [
        {"subsampling": 0},
        {"subsampling": 1},
        {"subsampling": 2},
        {"progressive": True},
        {"restart_marker_blocks": 3},
        {"keep_rgb": True},
        {"quality": 5},
        {"icc_profile": b"profile" * 40},
        {"comment": b"a word"},
        {"exif": turned(6)},
        {"exif": turned(7)},
    ],
    ids=lambda options: next(iter(options)),
)
@pytest.mark.parametrize("size", [(1, 1), (17, 33), (261, 130), (900, 700)])
def test_drawn_images_come_out_as_from_pillow_bit_for_bit(size, options, no_pillow_decoding):
    assert_equal_to_pillow(encode(textured(*size), "JPEG", **options))


def test_grey_images_come_out_as_from_pillow_bit_for_bit(no_pillow_decoding):
    assert_equal_to_pillow(encode(textured(500, 301).convert("L"), "JPEG"))


def test_a_large_jpeg_read_small_is_close_to_one_read_whole():
    data = encode(gradient(900, 600), "JPEG", quality=95)
    small = read_input(data, 64, "center", LIMITS)
    whole = network_input(decode(data, LIMITS), 64, "center")
    assert np.abs(small.astype(int) - whole).max() <= 4


def test_it_is_never_decoded_below_twice_the_side_that_is_asked_for():
    data = encode(textured(800, 600), "JPEG")
    sizes = {side: decode(data, LIMITS, side).size for side in (37, 38, 75, 76, 150, 151)}
    assert sizes == {
        37: (100, 75),
        38: (200, 150),
        75: (200, 150),
        76: (400, 300),
        150: (400, 300),
        151: (800, 600),
    }


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("exif", [None, turned(3)], ids=["plain", "exif"])
def test_a_jpeg_without_its_end_is_refused_wherever_it_was_cut(progressive, exif):
    options = {"exif": exif} if exif else {}
    data = encode(textured(200, 150), "JPEG", progressive=progressive, **options)
    for kept in (len(data) - 1, len(data) - 2, len(data) - 40, len(data) // 2, 700):
        with pytest.raises(ImageError) as caught:
            read_input(data[:kept], 64, "center", LIMITS)
        assert caught.value.reason == "damaged"


def test_a_jpeg_with_picture_data_cut_out_of_its_middle_is_refused():
    data = encode(textured(200, 150), "JPEG")
    middle = len(data) // 2
    with pytest.raises(ImageError) as caught:
        read_input(data[:middle] + data[middle + 500 :], 64, "center", LIMITS)
    assert caught.value.reason == "damaged"


def test_harmless_oddities_are_read_as_pillow_reads_them():
    data = encode(textured(200, 150), "JPEG")
    assert_equal_to_pillow(data + b"what a camera left behind")
    assert_equal_to_pillow(data[:-2] + b"\0\0\0" + data[-2:])


def test_a_jpeg_that_names_two_sizes_cannot_get_past_the_limits():
    honest, huge = (encode(Image.new("L", size), "JPEG") for size in ((64, 64), (4000, 4000)))
    frame = honest[honest.index(b"\xff\xc0") :][:13]
    position = huge.index(b"\xff\xc0")
    # Pillow believes the second frame header, libjpeg allows none.
    both = huge[: position + 13] + frame + huge[position + 13 :]
    with pytest.raises(ImageError) as caught:
        read_input(both, 32, "center", LIMITS)
    assert caught.value.reason in ("damaged", "too_many_pixels")


def test_a_jpeg_of_another_size_than_was_held_against_the_limits_is_refused(no_pillow_decoding):
    essence = Essence("JPEG", encode(textured(64, 48), "JPEG"), 63, 48)
    image = JpegImage(essence, Header("JPEG", "RGB", 63, 48))
    with pytest.raises(ImageError) as caught:
        image.decode()
    assert caught.value.reason == "damaged"


def test_a_header_is_the_same_with_and_without_exif():
    for image in (gradient(), gradient().convert("L")):
        plain = encode(image, "JPEG")
        detailed = encode(image, "JPEG", exif=turned(1))
        assert read_header(plain, LIMITS) == read_header(detailed, LIMITS)

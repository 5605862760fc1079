"""Decoders are handed the picture alone, and it is the same picture."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from hostile.jpegs import segment, with_segments
from hostile.making import entry as exif_entry
from hostile.making import exif
from hostile.pngs import chunk, with_chunks
from hostile.tiff_bombs import tiled
from hostile.webps import PICTURE, extended, riff
from hostile.webps import chunk as webp_chunk
from pictures import LIMITS, encode, gradient, textured
from PIL import Image

from skincli.errors import ImageError
from skincli.imaging import Limits, decode, read_header
from skincli.imaging.directory import orientation
from skincli.imaging.essence import Essence
from skincli.imaging.png import png_essence
from skincli.imaging.segments import read_segments
from skincli.imaging.tiff import tiff_essence
from skincli.imaging.webp import webp_essence

SECRET = b"name of a patient"
TURNED = exif(exif_entry(0x112, 3, 1, 6), 1) + SECRET


def jpeg_essence(data: bytes) -> Essence:
    return read_segments(data).essence


def described_tiff() -> bytes:
    return encode(gradient(), "TIFF", tiffinfo={270: SECRET.decode(), 700: SECRET})


@pytest.mark.parametrize(
    ("essence_of", "data"),
    [
        (
            jpeg_essence,
            with_segments(
                segment(0xE1, b"Exif\0\0" + TURNED),
                segment(0xE2, b"ICC_PROFILE\0\1\1" + SECRET),
                segment(0xFE, SECRET),
            ),
        ),
        (
            png_essence,
            with_chunks(chunk(b"eXIf", TURNED), chunk(b"tEXt", b"k\0" + SECRET)),
        ),
        (
            webp_essence,
            riff(extended(96, 72, 0x2C), PICTURE, webp_chunk(b"EXIF", TURNED)),
        ),
    ],
    ids=["jpeg", "png", "webp"],
)
def test_nothing_that_describes_a_picture_reaches_a_decoder(
    essence_of: Callable[[bytes], Essence], data: bytes
) -> None:
    assert SECRET in data
    essence = essence_of(data)
    assert SECRET not in essence.data
    assert (essence.width, essence.height, essence.orientation) == (96, 72, 6)
    assert decode(data, LIMITS).size == (72, 96)


def test_a_decoder_of_tiff_is_shown_no_tag_that_describes() -> None:
    data = described_tiff()
    with Image.open(io.BytesIO(data)) as as_it_came:
        assert {270, 700} <= as_it_came.tag_v2.keys()
    with Image.open(io.BytesIO(tiff_essence(data).data)) as shown:
        assert not {270, 700} & shown.tag_v2.keys()
    assert (np.asarray(decode(data, LIMITS)) == np.asarray(gradient())).all()


def test_tiles_come_out_in_their_places() -> None:
    tiles = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)
    data = tiled(16, 16, 6, tiles.tobytes(), t256=48, t257=32)
    whole = np.vstack([np.hstack(list(row)) for row in tiles.reshape(2, 3, 16, 16, 3)])
    assert (np.asarray(decode(data, LIMITS)) == whole).all()


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "RGBA", "P", "1"])
def test_common_kinds_of_tiff_come_out_as_from_pillow(compression: str, mode: str) -> None:
    image = textured(70, 50).convert(mode)
    data = encode(image, "TIFF", compression=compression)
    with Image.open(io.BytesIO(data)) as by_pillow:
        expected = np.asarray(by_pillow.convert("RGB"))
    assert (np.asarray(decode(data, LIMITS)) == expected).all()


def test_a_transparent_picture_lies_on_white_whatever_its_size() -> None:
    """It is laid there by pieces."""
    image = textured(40, 700).convert("RGBA")
    image.putalpha(Image.fromarray(np.arange(28000, dtype=np.uint32).reshape(700, 40).astype("u1")))
    canvas = Image.new("RGBA", image.size, "white")
    expected = np.asarray(Image.alpha_composite(canvas, image).convert("RGB")).astype(int)
    assert np.abs(np.asarray(decode(encode(image), LIMITS)) - expected).max() <= 1


def test_decoders_that_take_much_memory_may_decode_half_the_pixels() -> None:
    limits = Limits(max_bytes=2_000_000, max_pixels=80_000)
    image = gradient(300, 200)
    assert read_header(encode(image, "PNG"), limits).width == 300
    with pytest.raises(ImageError, match="more than the 40,000 pixels allowed"):
        read_header(encode(image, "WEBP"), limits)


def test_no_side_is_longer_than_that_of_a_jpeg() -> None:
    limits = Limits(max_bytes=2_000_000, max_pixels=1_000_000)
    assert decode(encode(Image.new("1", (65_535, 1))), limits).size == (65_535, 1)
    with pytest.raises(ImageError, match="no side"):
        decode(encode(Image.new("1", (65_536, 1))), limits)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("value", range(1, 9))
def test_orientation_is_read_in_both_byte_orders(order: str, value: int) -> None:
    block = Image.Exif()
    block.endian = order
    block[0x112] = value
    assert orientation(block.tobytes()) == value

"""What a file says of itself, and what decoding will have to change."""

import struct
import zlib

import numpy as np
import pytest
from pictures import LIMITS, encode, gradient, turned
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from skincli.errors import ImageError
from skincli.imaging import Header, decode, open_image, read_header


def deep_grey() -> Image.Image:
    return Image.fromarray(np.linspace(0, 65535, 2400).reshape(40, 60).astype(np.uint16))


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@pytest.mark.parametrize(
    ("data", "conversions"),
    [
        (encode(gradient(), "JPEG"), ()),
        (encode(gradient(), "TIFF"), ()),
        (encode(gradient(), "JPEG", exif=turned(1)), ()),
        (encode(gradient(), "JPEG", exif=turned(9)), ()),
        (encode(gradient().convert("L"), "JPEG"), ("grayscale",)),
        (encode(gradient().convert("1")), ("grayscale",)),
        (encode(gradient().convert("P")), ("palette",)),
        (encode(gradient().convert("CMYK"), "JPEG"), ("cmyk",)),
        (encode(gradient(), "JPEG", exif=turned(2)), ("rotated",)),
        (encode(gradient(), "TIFF", exif=turned(6)), ("rotated",)),
        (encode(Image.new("RGBA", (9, 9), (9, 9, 9, 9)), "WEBP"), ("transparent",)),
        (encode(gradient().convert("RGBA")), ("transparent",)),
        (encode(gradient().convert("P"), transparency=0), ("palette", "transparent")),
        (encode(gradient().convert("LA")), ("grayscale", "transparent")),
        (encode(deep_grey()), ("grayscale", "16-bit")),
        (encode(deep_grey(), "TIFF"), ("grayscale", "16-bit")),
    ],
)
def test_the_header_tells_what_decoding_changes(data, conversions):
    assert read_header(data, LIMITS).conversions == conversions


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "MPO"])
def test_further_frames_are_noticed(kind):
    frames = [Image.new("RGB", (60, 40), name) for name in ("blue", "lime")]
    assert not read_header(encode(gradient(), kind), LIMITS).several_frames
    data = encode(gradient(), kind, save_all=True, append_images=frames)
    header = read_header(data, LIMITS)
    assert header.conversions == ("several frames",)
    assert header.format == {"MPO": "JPEG"}.get(kind, kind)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP"])
def test_the_header_of_every_format_gives_the_upright_size(kind):
    header = read_header(encode(gradient(), kind), LIMITS)
    assert header == Header(kind, "RGB", 60, 40)
    if kind != "BMP":
        header = read_header(encode(gradient(), kind, exif=turned(8)), LIMITS)
        assert header == Header(kind, "RGB", 40, 60, orientation=8)


def test_sixteen_bit_colour_is_noticed_although_it_is_read_as_eight():
    rows = (b"\0" + struct.pack(">6H", *[0xC0FF] * 6)) * 2
    png = (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0))
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )
    assert read_header(png, LIMITS).conversions == ("16-bit",)
    assert decode(png, LIMITS).getpixel((0, 0)) == (0xC0, 0xC0, 0xC0)


def test_an_open_image_is_read_once_and_can_be_decoded():
    image = open_image(encode(gradient(), "PNG"), LIMITS)
    assert (np.asarray(image.decode()) == np.asarray(gradient())).all()
    assert image.header.width == 60


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP"])
def test_no_pixel_is_decoded_for_a_header(kind, monkeypatch):
    data = encode(gradient(), kind, **({} if kind == "BMP" else {"exif": turned(6)}))

    def refuse(*_: object) -> None:
        raise AssertionError("decoded")

    for plugin in (JpegImageFile, PngImageFile, TiffImageFile, WebPImageFile, BmpImageFile):
        monkeypatch.setattr(plugin, "load", refuse)
    assert read_header(data, LIMITS).format == kind


def test_a_header_beyond_the_limits_is_refused():
    with pytest.raises(ImageError, match="2000 x 2000"):
        read_header(encode(Image.new("1", (2000, 2000))), LIMITS)

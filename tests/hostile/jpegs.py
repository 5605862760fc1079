"""JPEG files that are cut, lie about themselves, or carry too much."""

import io
import struct

from PIL import Image

from hostile.making import ODD_EXIFS, Maker, cuts, encoded, entry, exif, patched, picture
from hostile.strangers import HTML, PDF, zipped

WHOLE = encoded("JPEG", quality=90)
PROGRESSIVE = encoded("JPEG", progressive=True)
FRAME = WHOLE.index(b"\xff\xc0")
SCAN = WHOLE.index(b"\xff\xda")


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def with_segments(*segments: bytes) -> bytes:
    return WHOLE[:2] + b"".join(segments) + WHOLE[2:]


def with_exif(block: bytes) -> bytes:
    return with_segments(segment(0xE1, b"Exif\0\0" + block[:65000]))


def with_frame(marker: int = 0xC0, bits: int = 8, height: int = 72, width: int = 96) -> bytes:
    data = patched(WHOLE, FRAME + 1, ">B", marker)
    return patched(data, FRAME + 4, ">BHH", bits, height, width)


def with_channels(channels: int) -> bytes:
    frame = struct.pack(">BHHB", 8, 72, 96, channels) + bytes([1, 0x11, 0]) * channels
    return WHOLE[:FRAME] + segment(0xC0, frame) + WHOLE[SCAN:]


def without(marker: int) -> bytes:
    at = WHOLE.index(bytes([0xFF, marker]))
    return WHOLE[:at] + WHOLE[at + 2 + int.from_bytes(WHOLE[at + 2 : at + 4]) :]


def many_pictures() -> bytes:
    small = [picture(32, 24) for _ in range(60)]
    stream = io.BytesIO()
    picture().save(stream, "MPO", save_all=True, append_images=small)
    return stream.getvalue()


def ycck() -> bytes:
    """CMYK whose Adobe segment says that it is YCCK."""
    data = encoded("JPEG", picture(mode="CMYK"))
    return patched(data, data.index(b"Adobe") + 11, ">B", 2)


def two_frames(second: tuple[int, int]) -> bytes:
    huge = encoded("JPEG", Image.new("L", second))
    other = huge[huge.index(b"\xff\xc0") :][:13]
    end = FRAME + 2 + int.from_bytes(WHOLE[FRAME + 2 : FRAME + 4])
    return WHOLE[:end] + other + WHOLE[end:]


FRAMES: dict[str, Maker] = {
    "65535 x 65535 in few bytes": with_frame(height=65535, width=65535),
    "65535 x 1": with_frame(height=65535, width=1),
    "1 x 65535": with_frame(height=1, width=65535),
    "7000 x 7000 in few bytes": with_frame(height=7000, width=7000),
    "height 0": with_frame(height=0),
    "width 0": with_frame(width=0),
    "0 x 0": with_frame(height=0, width=0),
    "two frames": two_frames((64, 64)),
    "two frames, the second huge": two_frames((6000, 6000)),
    "12 bits": with_frame(bits=12),
    "16 bits": with_frame(bits=16),
    "0 bits": with_frame(bits=0),
    **{
        f"frame type {n:X}": with_frame(marker=0xC0 + n)
        for n in (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15)
    },
    **{f"{n} channels": with_channels(n) for n in (0, 1, 2, 4, 5, 255)},
    "sampling factors of 0": patched(WHOLE, FRAME + 11, ">B", 0),
    "sampling factors of 15": patched(WHOLE, FRAME + 11, ">B", 0xFF),
    "sampling factors of 4 and 1": patched(WHOLE, FRAME + 11, ">B", 0x44),
    "a frame without its end": WHOLE[: FRAME + 7],
    "no quantisation table": without(0xDB),
    "no Huffman table": without(0xC4),
    "no frame": without(0xC0),
    "quantisation by 0": patched(WHOLE, WHOLE.index(b"\xff\xdb") + 5, ">64s", bytes(64)),
    "Huffman table of ones": patched(WHOLE, WHOLE.index(b"\xff\xc4") + 5, ">16s", b"\xff" * 16),
    "a scan of channel 9": patched(WHOLE, SCAN + 5, ">B", 9),
    "a scan of coefficients 63 to 1": patched(WHOLE, SCAN + 11, ">BB", 63, 1),
}

SEGMENTS: dict[str, Maker] = {
    **{f"exif with {name}": with_exif(block) for name, block in ODD_EXIFS.items()},
    "orientation in XMP": with_segments(
        segment(0xE1, b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="9"/>')
    ),
    "two orientations": with_segments(
        segment(0xE1, b"Exif\0\0" + exif(entry(0x112, 3, 1, 6), 1)),
        segment(0xE1, b"Exif\0\0" + exif(entry(0x112, 3, 1, 3), 1)),
    ),
    "a profile of garbage": with_segments(segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(500))),
    "a profile in 255 pieces": lambda: with_segments(
        *(segment(0xE2, b"ICC_PROFILE\0" + bytes([n, 255]) + bytes(30000)) for n in range(255))
    ),
    "a profile in 9000 pieces": lambda: with_segments(
        *[segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(900))] * 9000
    ),
    "a list of pictures of garbage": with_segments(segment(0xE2, b"MPF\0" + bytes(range(200)))),
    "a list of 4 billion pictures": with_segments(
        segment(0xE2, b"MPF\0" + exif(entry(0xB001, 4, 1, 0xFFFFFFFF), 1))
    ),
    "a list of pictures in a circle": with_segments(
        segment(0xE2, b"MPF\0" + exif(entry(0xB002, 7, 16, 8), 1, following=8))
    ),
    "60 pictures": many_pictures,
    "photoshop blocks without end": with_segments(
        segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\0" * 5000)
    ),
    "a million exif blocks": lambda: with_segments(
        *[segment(0xE1, b"Exif\0\0" + bytes(8))] * 999_999
    ),
    "three million comments": lambda: with_segments(*[segment(0xFE, b"")] * 3_000_000),
    "a segment of length 0": with_segments(b"\xff\xe1\0\0"),
    "a segment of length 1": with_segments(b"\xff\xe1\0\1"),
    "a segment past the end": WHOLE[:2] + b"\xff\xe1\xff\xff" + bytes(9),
    "a jfif thumbnail of 255 x 255": patched(WHOLE, 18, ">BB", 255, 255),
    "zero bytes between segments": WHOLE[:2] + bytes(999) + WHOLE[2:],
    "ten megabytes of fill bytes": lambda: WHOLE[:2] + b"\xff" * 10_000_000 + WHOLE[2:],
    "ten megabytes of fill bytes and nothing": lambda: WHOLE[:2] + b"\xff" * 10_000_000,
    "ten megabytes of junk": lambda: WHOLE[:2] + b"\x01" * 10_000_000 + WHOLE[2:],
    "ten megabytes of restart marks": lambda: WHOLE[:2] + b"\xff\xd0" * 5_000_000 + WHOLE[2:],
    "beginnings only": b"\xff\xd8" * 5000,
    "the end only": b"\xff\xd8\xff\xd9",
}

POLYGLOTS: dict[str, Maker] = {
    "and zip": lambda: WHOLE + zipped(),
    "and html": with_segments(segment(0xFE, HTML)),
    "and pdf": WHOLE + PDF,
    "and php": with_segments(segment(0xFE, b"<?php system($_GET[0]); ?>")),
    "and jar": lambda: with_segments(segment(0xFE, zipped()[:60000])) + zipped(),
    "and another": WHOLE + WHOLE,
    "and a megabyte of zeros": WHOLE + bytes(1_000_000),
    "whose thumbnail is a zip": lambda: with_exif(b"II*\0\x08\0\0\0" + zipped()[:60000]),
    "with the mark of dicom": patched(
        with_segments(segment(0xFE, bytes(400))), 128, ">4s", b"DICM"
    ),
}

JPEGS: dict[str, Maker] = {
    **cuts("baseline", WHOLE, (0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.3, 0.6, 0.9, 0.999)),
    **cuts("progressive", PROGRESSIVE, (0.04, 0.1, 0.2, 0.5, 0.8, 0.99)),
    **cuts("cmyk", encoded("JPEG", picture(mode="CMYK")), (0.05, 0.5, 0.99)),
    **cuts("many pictures", many_pictures(), (0.1, 0.5, 0.9)),
    **FRAMES,
    **SEGMENTS,
    **POLYGLOTS,
    "cmyk": lambda: encoded("JPEG", picture(mode="CMYK")),
    "ycck": ycck,
    "grey": lambda: encoded("JPEG", picture(mode="L")),
    "rgb as such": lambda: encoded("JPEG", keep_rgb=True),
}

"""TIFF files whose tags lie, or that are packed in ways no camera uses."""

import struct

from hostile.making import Maker, cuts, encoded, picture
from hostile.strangers import zipped

WHOLE = encoded("TIFF")
Value = int | tuple[int, ...]
# BYTE, SHORT, LONG.
FORMS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I"}


def tiff(
    content: bytes = bytes(192),
    *,
    raw: bytes = b"",
    following: int = 0,
    kinds: dict[int, int] | None = None,
    **changes: Value | None,
) -> bytes:
    """An image of 8 x 8 in RGB, with tags changed (`t259=5`) or left out (`None`).

    `raw` are further entries, `kinds` types of values other than LONG.
    """
    tags: dict[int, Value | None] = {
        256: 8, 257: 8, 258: (8, 8, 8), 259: 1, 262: 2, 273: 8, 277: 3, 278: 8,
        279: len(content),
    }  # fmt: skip
    tags |= {int(name[1:]): value for name, value in changes.items()}
    body, entries = bytearray(content), b""
    for tag, value in sorted(tags.items()):
        if value is None:
            continue
        values = value if isinstance(value, tuple) else (value,)
        kind = (kinds or {}).get(tag, 4)
        packed = struct.pack(f"<{len(values)}{FORMS[kind]}", *values)
        if len(packed) > 4:
            packed, body = struct.pack("<I", 8 + len(body)), body + packed
        entries += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    entries += raw
    directory = struct.pack("<H", len(entries) // 12) + entries + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + bytes(body) + directory


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, kind, count, value)


def grey(bits: int, form: int = 1, **changes: Value | None) -> bytes:
    size = 8 * bits
    return tiff(bytes(size), t258=bits, t262=1, t277=1, t279=size, t339=form, **changes)


def four_channels(**changes: Value | None) -> bytes:
    return tiff(bytes(256), t258=(8,) * 4, t277=4, t279=256, **changes)


def pages(count: int, circular: bool = False) -> bytes:
    """Directories of two tags that follow each other."""
    first = WHOLE[:4] + struct.pack("<I", 8)
    size = 2 + 24 + 4
    ends = [8 + size * (number + 1) for number in range(count)]
    ends[-1] = 8 if circular else 0
    tags = entry(256, 4, 1, 8) + entry(257, 4, 1, 8)
    return first + b"".join(struct.pack("<H", 2) + tags + struct.pack("<I", end) for end in ends)


COMPRESSIONS = {
    "old jpeg": 6, "fax 2": 2, "fax 3": 3, "fax 4": 4, "next": 32766, "fax of words": 32771,
    "thunderscan": 32809, "pixar film": 32908, "pixar log": 32909, "dcs": 32947, "jbig": 34661,
    "sgi log": 34676, "sgi log 24": 34677, "jpeg 2000": 34712, "lerc": 34887, "lzma": 34925,
    "zstd": 50000, "webp": 50001, "jpeg xl": 50002, "nothing known": 65535, "zero": 0,
}  # fmt: skip

TAGS: dict[str, Maker] = {
    "60000 x 60000": tiff(t256=60_000, t257=60_000),
    "4 billion x 4 billion": tiff(t256=2**32 - 1, t257=2**32 - 1),
    "0 x 0": tiff(t256=0, t257=0),
    "1 x 50 million": tiff(t256=1, t257=50_000_000),
    "7000 x 7000": tiff(t256=7000, t257=7000),
    "negative width": tiff(t256=-8, kinds={256: 9}),
    "no width": tiff(t256=None),
    "two widths": tiff(t256=(8, 9)),
    "a width in letters": tiff(t256=None, raw=entry(256, 2, 4, 0x38383838)),
    "a width as a fraction": tiff(t256=None, raw=entry(256, 5, 1, 8)),
    "a width of an unknown type": tiff(t256=None, raw=entry(256, 99, 1, 8)),
    "a width of 4 billion numbers": tiff(t256=None, raw=entry(256, 4, 2**32 - 1, 8)),
    "a tag far away": tiff(t258=None, raw=entry(258, 3, 3, 2**32 - 9)),
    "no strips": tiff(t273=None, t279=None),
    "no sizes of strips": tiff(t279=None),
    "strips of 0 bytes": tiff(t279=0),
    "a strip outside": tiff(t273=10_000_000),
    "a strip of 4 billion bytes": tiff(t279=2**32 - 1),
    "rows of 0 in a strip": tiff(t278=0),
    "rows of 4 billion in a strip": tiff(t278=2**32 - 1),
    "more strips than rows": tiff(t273=(8,) * 999, t279=(192,) * 999),
    "strips over each other": tiff(t278=1, t273=(8,) * 8, t279=(24,) * 8),
    "too few strips": tiff(t278=1),
    **{f"{n} bits": tiff(t258=(n, n, n)) for n in (0, 1, 2, 3, 5, 7, 9, 12, 24, 32, 64, 65535)},
    "different bits": tiff(t258=(8, 16, 8)),
    "two kinds of bits": tiff(t258=(8, 8)),
    **{f"{n} channels": tiff(t277=n) for n in (0, 1, 2, 4, 5, 6, 255, 65535, 2**32 - 1)},
    **{f"colours {n}": tiff(t262=n) for n in (0, 1, 3, 4, 5, 6, 8, 9, 32803, 32844, 34892, 65535)},
    **{f"planes {n}": tiff(t284=n) for n in (0, 2, 3, 65535)},
    "planes that are there": tiff(t284=2, t273=(8, 72, 136), t279=(64, 64, 64)),
    **{f"predictor {n}": tiff(t317=n, t259=5) for n in (0, 2, 3, 34892, 65535)},
    **{f"fill order {n}": tiff(t266=n) for n in (0, 2, 3)},
    **{f"orientation {n}": tiff(t274=n) for n in (0, 6, 9, 65535)},
    **{f"extra samples {n}": four_channels(t338=n) for n in (0, 1, 2, 9)},
    "a palette missing": tiff(t262=3, t258=8, t277=1, t279=64),
    "a palette too short": tiff(t262=3, t258=8, t277=1, t279=64, t320=(1, 2, 3), kinds={320: 3}),
    "ink": four_channels(t262=5),
    "floats": grey(32, 3),
    "half floats": grey(16, 3),
    "doubles": grey(64, 3),
    "complex integers": grey(32, 5),
    "complex numbers": grey(64, 6),
    "numbers with signs": grey(16, 2),
    "long numbers": grey(32, 1),
    "deep grey": grey(16),
    "twelve bits of grey": grey(12),
    "deep colour": tiff(bytes(384), t258=(16, 16, 16), t279=384),
    "colour from LAB": tiff(t262=8),
    "a page that follows itself": tiff(following=8),
    "a page far away": tiff(following=2**32 - 8),
    "10000 pages": lambda: pages(10_000),
    "500000 pages": lambda: pages(500_000),
    "pages in a circle": lambda: pages(50, circular=True),
    "directories inside of themselves": tiff(
        raw=entry(330, 13, 1, 8) + entry(34665, 4, 1, 200) + entry(34853, 4, 1, 200)
    ),
    "a tag of every number": lambda: tiff(
        raw=b"".join(entry(n, 4, 1, n) for n in range(400, 40_000))
    ),
    "a directory far away": b"II*\0\xf0\xff\xff\xff" + bytes(500),
    "a directory inside of the header": b"II*\0\4\0\0\0" + bytes(500),
    "a directory at 0": b"II*\0\0\0\0\0" + bytes(500),
    "an odd directory": b"II*\0\x09\0\0\0" + bytes(500),
    "only a name": b"II*\0",
    "the other byte order": b"MM\0*" + bytes(500),
    "BigTIFF": b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 10**6) + bytes(5000),
    "BigTIFF of a million tags": lambda: b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 10**6) + (
        struct.pack("<HHQ8s", 9, 99, 1, bytes(8)) * 900_000
    ),
    "a raw photograph": b"IIRO\x08\0\0\0" + bytes(500),
}  # fmt: skip

TIFFS: dict[str, Maker] = {
    **cuts("colour", WHOLE, (0.0001, 0.0003, 0.001, 0.003, 0.005, 0.007, 0.1, 0.5, 0.99)),
    **cuts("lzw", encoded("TIFF", compression="tiff_lzw"), (0.1, 0.5, 0.9, 0.99)),
    **cuts("jpeg", encoded("TIFF", compression="jpeg"), (0.1, 0.5, 0.9, 0.99)),
    **{f"compressed by {name}": tiff(t259=number) for name, number in COMPRESSIONS.items()},
    **{f"fax {n} with a bit": grey(1, t259=n) for n in (2, 3, 4)},
    **TAGS,
    "and zip": lambda: WHOLE + zipped(),
    "ink by lzw": lambda: encoded("TIFF", picture(mode="CMYK"), compression="tiff_lzw"),
    "transparent": lambda: encoded("TIFF", picture(mode="RGBA"), compression="tiff_deflate"),
    "palette": lambda: encoded("TIFF", picture(mode="P")),
    "one bit by fax 4": lambda: encoded("TIFF", picture(mode="1"), compression="group4"),
}

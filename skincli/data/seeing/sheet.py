"""A contact sheet: several images with their captions as one PNG."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont

from skincli.data.seeing.view import SIDE, Viewed
from skincli.data.seeing.writing import write_whole
from skincli.errors import UsageError

_MOST_COLUMNS: Final = 6
_GAP: Final = 12
_FONT_SIZE: Final = 15
_LINE: Final = 20
_INK: Final = "#1c2024"


def write_sheet(images: Sequence[Viewed], path: Path) -> None:
    """Write the sheet, beside and then under its name.

    Raises UsageError for a name that is not a PNG's, SkincliError when it cannot be written.
    """
    if path.suffix.lower() != ".png":
        raise UsageError(f"a sheet is a PNG file, not `{path.name}`", "end its name in .png")
    stream = io.BytesIO()
    draw_sheet(images).save(stream, format="PNG")
    write_whole(path, stream.getvalue())


def draw_sheet(images: Sequence[Viewed]) -> Image.Image:
    """The images in rows, each over the three lines of its caption."""
    columns = min(_MOST_COLUMNS, math.ceil(math.sqrt(len(images))))
    rows = math.ceil(len(images) / columns)
    height = max(image.picture.height for image in images) + 3 * _LINE + _GAP
    size = (columns * (SIDE + _GAP) + _GAP, rows * (height + _GAP) + _GAP)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    font = _font()
    for place, image in enumerate(images):
        row, column = divmod(place, columns)
        left, top = _GAP + column * (SIDE + _GAP), _GAP + row * (height + _GAP)
        sheet.paste(image.picture, (left, top))
        for line, text in enumerate(image.facts.caption):
            below = top + height - _GAP - (3 - line) * _LINE
            draw.text((left, below), _fitted(text, SIDE, font), _INK, font)
    return sheet


def _font() -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib: Pillow's own font knows ASCII alone."""
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), _FONT_SIZE)


def _fitted(text: str, width: int, font: ImageFont.FreeTypeFont) -> str:
    """The text, cut where it would run into the next image."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"

"""Images in a terminal: two pixels to a character, the upper half block in two colours."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL import Image
    from rich.color import Color
    from rich.table import Table
    from rich.text import Text

    from skincli.data.seeing.view import Viewed

_NARROWEST: Final = 30
_WIDEST: Final = 96
_GAP: Final = 2
_CAPTION_LINES: Final = 3
_PROMPT_LINES: Final = 2
_SYSTEM_COLOURS: Final = 16


def can_draw() -> bool:
    """Whether stdout is a terminal with at least 256 colours that may be used."""
    from rich.console import Console

    console = Console()
    colours = console.color_system in ("256", "truecolor")
    return sys.stdout.isatty() and colours and not console.no_color


def drawn(images: Sequence["Viewed"]) -> list[str]:
    """Lines with colour codes that show the images, as many side by side as the terminal holds."""
    from rich.console import Console

    console = Console(highlight=False)
    columns = max(1, min(len(images), (console.width + _GAP) // (_NARROWEST + _GAP)))
    width = min(_WIDEST, (console.width + _GAP) // columns - _GAP)
    height = max(4, console.height - _CAPTION_LINES - _PROMPT_LINES)
    palette = None if console.color_system == "truecolor" else _palette()
    with console.capture() as captured:
        for start in range(0, len(images), columns):
            beside = images[start : start + columns]
            pictures = [_picture(image.picture, width, height, palette) for image in beside]
            console.print(_side_by_side(pictures, [image.facts.caption for image in beside], width))
    return captured.get().rstrip("\n").split("\n")


def _side_by_side(
    pictures: Sequence["Text"], captions: Sequence[Sequence[str]], width: int
) -> "Table":
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    for _ in pictures:
        grid.add_column(width=width)
    grid.add_row(*pictures)
    # The empty line is what parts this row of images from the next.
    below = ("\n".join((*lines, "")) for lines in captions)
    grid.add_row(*(Text(text, overflow="ellipsis", no_wrap=True) for text in below))
    return grid


def _picture(
    image: "Image.Image", width: int, height: int, palette: "Image.Image | None"
) -> "Text":
    """The image in at most `width` by `height` characters."""
    from rich.style import Style
    from rich.text import Text

    scale = min(width / image.width, 2 * height / image.height)
    columns = max(1, round(image.width * scale))
    lines = max(1, round(image.height * scale / 2))
    colours = _colours(image.resize((columns, 2 * lines)), palette)
    text = Text(no_wrap=True)
    for line in range(lines):
        for upper, lower in zip(colours[2 * line], colours[2 * line + 1], strict=True):
            text.append("▀", Style(color=upper, bgcolor=lower))
        text.append("\n" if line < lines - 1 else "")
    return text


def _colours(image: "Image.Image", palette: "Image.Image | None") -> "list[list[Color]]":
    """The colour of every pixel, row by row; under a palette, dithered."""
    import numpy as np
    from rich.color import Color

    if palette is None:
        return [[Color.from_rgb(*rgb) for rgb in row] for row in np.asarray(image).tolist()]
    indices = np.asarray(image.quantize(palette=palette)).tolist()
    return [[Color.from_ansi(_SYSTEM_COLOURS + index) for index in row] for row in indices]


def _palette() -> "Image.Image":
    """The colours of xterm but the first 16, which users change: 216 of a cube, 24 greys."""
    from PIL import Image

    levels = (0, 95, 135, 175, 215, 255)
    cube = [(red, green, blue) for red in levels for green in levels for blue in levels]
    greys = [(level, level, level) for level in range(8, 248, 10)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for colour in (*cube, *greys) for value in colour])
    return palette

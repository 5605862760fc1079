"""HTML out of plain text: whatever is not `Html` already is escaped, so that no value of a data
set can become markup."""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

from PIL import Image

_EMPTY_ELEMENTS: Final = frozenset({"br", "img"})
_JPEG_QUALITY: Final = 80


class Html(str):
    """Text that is markup."""

    __slots__ = ()


def element(name: str, *content: str, **attributes: str) -> Html:
    """`<name …>content</name>`. Attributes are spelled `class_`, `aria_label`."""
    pairs = (f' {k.rstrip("_").replace("_", "-")}="{escape(v)}"' for k, v in attributes.items())
    opening = f"<{name}{''.join(pairs)}>"
    return Html(opening if name in _EMPTY_ELEMENTS else f"{opening}{join(content)}</{name}>")


def join(content: Iterable[str]) -> Html:
    """Pieces one after the other."""
    return Html("".join(c if isinstance(c, Html) else escape(c) for c in content))


def sections(content: Mapping[str, Html]) -> Html:
    """Titled sections, and before them links to each."""
    anchors = {title: title.lower().replace(" ", "-") for title in content}
    links = (element("a", title, href=f"#{anchor}") for title, anchor in anchors.items())
    blocks = (
        element("section", element("h2", title), body, id=anchors[title])
        for title, body in content.items()
    )
    return join((element("nav", *links), *blocks))


def bullets(lines: Iterable[str]) -> Html:
    return element("ul", *(element("li", line) for line in lines))


def facts(pairs: Mapping[str, str]) -> Html:
    """A list of names and values."""
    return element(
        "dl", *(join((element("dt", name), element("dd", value))) for name, value in pairs.items())
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str | float]]) -> Html:
    """The first cell of each row is its heading; a float is a share.

    Numbers are set right. Where the page is narrow, the table scrolls.
    """
    head = element("tr", *(element("th", name, scope="col") for name in columns))
    body = [element("tr", element("th", str(r[0]), scope="row"), *map(_cell, r[1:])) for r in rows]
    whole = element("table", element("thead", head), element("tbody", *body))
    return element("div", whole, class_="scroll", tabindex="0", role="group")


def counts_table(first: str, counts: Mapping[str, Mapping[str, int]]) -> Html:
    """A table of counts, a row for each outer and a column for each inner name."""
    columns = list(dict.fromkeys(name for inner in counts.values() for name in inner))
    rows: list[list[str | float]] = [
        [name, *(inner.get(column, 0) for column in columns)] for name, inner in counts.items()
    ]
    return table([first, *columns], rows)


def jpeg(image: Image.Image, side: int, alt: str, title: str) -> Html:
    """A thumbnail that fits a square of `side` pixels, as a data: address."""
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    return element(
        "img", src=f"data:image/jpeg;base64,{data}", alt=alt, title=title,
        width=str(small.width), height=str(small.height),
    )  # fmt: skip


def _cell(value: str | float) -> Html:
    if isinstance(value, str):
        return element("td", value)
    text = f"{value:.1%}" if isinstance(value, float) else f"{value:,}"
    return element("td", text, class_="number")

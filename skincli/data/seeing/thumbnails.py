"""Pictures for a page: contact sheets by diagnosis, and pairs that show the same picture."""

from collections.abc import Iterable, Sequence
from typing import Final

from skincli.data.reading.metadata import MetadataRow
from skincli.data.records import DuplicatePair
from skincli.data.seeing.contents import Picture
from skincli.errors import ImageError
from skincli.pages.markup import Html, element, join, jpeg
from skincli.progress import Step
from skincli.taxonomy import DIAGNOSES

_SIDE: Final = 128
_NAMES: Final = {info.code: info.name for info in DIAGNOSES}


class Thumbnails:
    """Decodes the images that a page shows; an image that cannot be read is shown as such."""

    def __init__(self, picture: Picture, step: Step) -> None:
        self._picture = picture
        self._step = step

    def sheet(self, dx: str, rows: Sequence[MetadataRow], n_lesions: int) -> Html:
        """Some images of one diagnosis."""
        title = f"{dx}: {_NAMES.get(dx, dx)} ({len(rows)} of {n_lesions:,} lesions)"
        pictures = (self._captioned(row.image_id, _facts(row)) for row in rows)
        return join((element("h3", title), element("div", *pictures, class_="sheet")))

    def pairs(self, pairs: Iterable[DuplicatePair]) -> Html:
        """Pairs side by side, with what tells them apart."""
        return element("div", *(self._pair(pair) for pair in pairs), class_="pairs")

    def _pair(self, pair: DuplicatePair) -> Html:
        same = pair.first_lesion == pair.second_lesion
        kind = "the same file" if pair.kind == "file" else "nearly the same picture"
        where = "within one lesion" if same else "across lesions"
        return element(
            "div",
            self._captioned(pair.first, pair.first_lesion, pair.first_lesion),
            self._captioned(pair.second, pair.second_lesion, pair.second_lesion),
            element("p", f"{kind}, {where}, difference {pair.difference:.1f}"),
            class_="pair" if same else "pair across",
        )

    def _captioned(self, image_id: str, detail: str, second_line: str = "") -> Html:
        picture = self._thumbnail(image_id, detail)
        caption = element("figcaption", image_id, element("br"), second_line)
        return element("figure", picture, caption)

    def _thumbnail(self, image_id: str, detail: str) -> Html:
        self._step.advance()
        try:
            image = self._picture(image_id, _SIDE)
        except ImageError as error:
            return element("p", error.message, class_="unreadable")
        return jpeg(image, _SIDE, alt=image_id, title=f"{image_id}: {detail}")


def _facts(row: MetadataRow) -> str:
    age = "" if row.age is None else f"{row.age:g} years"
    found = (row.dx, f"lesion {row.lesion_id}", age, row.sex, row.localization, row.dataset)
    return ", ".join(text for text in found if text)

"""The pages of a search, kept as they arrive, so that a listing goes on where it stopped."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from skincli.config.data import IsicConfig
from skincli.data.download.isic import ask_page, search_address
from skincli.data.download.web import Web
from skincli.data.sources.isic_table import IsicImage, parse_image
from skincli.data.storage import write_json
from skincli.errors import DataError
from skincli.progress import Progress

_LISTING: Final = "listing.jsonl"
_NOTE: Final = "listing.json"


def list_images(
    web: Web, settings: IsicConfig, folder: Path, progress: Progress
) -> list[IsicImage]:
    """All images of a search, sorted by id; `folder` keeps what the API said of them.

    Raises DataError when nothing is searched for, found, or understood.
    """
    listing, first = folder / _LISTING, search_address(web.settings.isic, settings)
    if not listing.is_file():
        _Listing(folder, first).complete(web, progress)
    (folder / _NOTE).unlink(missing_ok=True)
    with listing.open(encoding="utf-8") as stream:
        images = {image.isic_id: image for image in map(parse_image, map(json.loads, stream))}
    if not images:
        raise DataError(
            "the ISIC Archive finds no image", "check data.isic.query and data.isic.collections"
        )
    return [images[isic_id] for isic_id in sorted(images)]


class _Listing:
    """Lines so far, and a note: how many bytes of them count, and where the next page is."""

    def __init__(self, folder: Path, first: str) -> None:
        self._final = folder / _LISTING
        self._lines = folder / f"{_LISTING}.partial"
        self._note = folder / _NOTE
        self._first = first
        self._bytes, self._count, self._next = 0, 0, first
        # Without a note that can be read, the listing begins afresh.
        with suppress(OSError, ValueError, TypeError, KeyError):
            note = json.loads(self._note.read_text(encoding="utf-8"))
            self._bytes, self._count, self._next = note["bytes"], note["images"], note["next"]

    def complete(self, web: Web, progress: Progress) -> None:
        resumed = self._count > 0
        with progress.step("Listing images", 0) as step:
            step.advance(self._count)
            while self._next:
                try:
                    page = ask_page(web, self._next, is_first=self._count == 0)
                except DataError:
                    if not resumed:
                        raise
                    step.advance(-self._count)
                    resumed, self._bytes, self._count, self._next = False, 0, 0, self._first
                    continue
                self._keep(page.results, page.next)
                step.advance(len(page.results))
        self._lines.replace(self._final)

    def _keep(self, results: list[dict[str, Any]], following: str | None) -> None:
        with self._lines.open("ab") as stream:
            stream.truncate(self._bytes)  # what was written after the last note
            stream.writelines(json.dumps(result).encode() + b"\n" for result in results)
            self._bytes = stream.tell()
        self._count += len(results)
        self._next = following or ""
        note = {"bytes": self._bytes, "images": self._count, "next": self._next}
        write_json(self._note, note)

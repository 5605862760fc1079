"""What was found out about image files, kept as it comes: a line and a thumbnail for each.

Two files grow side by side, so that work that is cut off goes on where it stopped.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from skincli.data.storage import own_file
from skincli.imaging import Pixels

THUMBNAIL: Final = 32
_BYTES: Final = THUMBNAIL * THUMBNAIL
_NOTHING: Final[Pixels] = np.empty(0, dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One image file. `token` names the state of the file that was looked at.

    `converted` says what decoding changes ("16-bit", "rotated by EXIF"), empty for an upright
    8-bit RGB image. `fault` says why the file cannot be used, empty if it can.
    """

    image_id: str
    token: str
    sha256: str
    width: int
    height: int
    converted: str
    fault: str


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """The facts by image id; `thumbnails` are grey, uint8 `[N, 32, 32]`, of whole frames.

    `rows` gives the row of each id in `thumbnails`; that of an image with a fault is black.
    """

    facts: Mapping[str, ImageFacts]
    rows: Mapping[str, int]
    thumbnails: Pixels

    def thumbnails_of(self, image_ids: Sequence[str]) -> Pixels:
        """Thumbnails uint8 `[len(image_ids), 32, 32]` in the order of the ids."""
        return self.thumbnails[[self.rows[image_id] for image_id in image_ids]]


class InspectionLog:
    """The two files in a folder. What only one of them holds is not counted."""

    def __init__(self, folder: Path) -> None:
        self._lines = folder / "facts.jsonl"
        self._thumbnails = folder / "thumbnails.u8"
        self._facts = self._read()
        # What was found last of a file in some state.
        self._rows = {(f.image_id, f.token): row for row, f in enumerate(self._facts)}

    def find(self, image_id: str, token: str) -> ImageFacts | None:
        """What is known of an image in the state that `token` names."""
        row = self._rows.get((image_id, token))
        return None if row is None else self._facts[row]

    def append(self, facts: Sequence[ImageFacts], thumbnails: Pixels) -> None:
        """Add what is new in findings and their thumbnails uint8 `[len(facts), 32, 32]`.

        The caller holds the set's lock, and called `repair` first.
        """
        news = [
            n for n, found in enumerate(facts) if self.find(found.image_id, found.token) != found
        ]
        with self._thumbnails.open("ab") as stream:
            stream.write(thumbnails[news].tobytes())
        with self._lines.open("a", encoding="utf-8") as lines:
            lines.writelines(json.dumps(astuple(facts[n])) + "\n" for n in news)
        for n in news:
            self._rows[facts[n].image_id, facts[n].token] = len(self._facts)
            self._facts.append(facts[n])

    def of(self, tokens: Mapping[str, str]) -> Inspection:
        """What is known of files in the state that `tokens` names, by image id."""
        rows = {i: self._rows[i, token] for i, token in tokens.items() if (i, token) in self._rows}
        count = len(self._facts) * _BYTES
        pixels = np.fromfile(self._thumbnails, dtype=np.uint8, count=count) if count else _NOTHING
        return Inspection(
            facts={image_id: self._facts[row] for image_id, row in rows.items()},
            rows=rows,
            thumbnails=pixels.reshape(-1, THUMBNAIL, THUMBNAIL),
        )

    def _read(self) -> list[ImageFacts]:
        if not (self._lines.is_file() and self._thumbnails.is_file()):
            return []
        found: list[ImageFacts] = []
        # The last line may be half a line.
        with suppress(ValueError, TypeError):
            lines = self._lines.read_text(encoding="utf-8").splitlines()
            found.extend(ImageFacts(*json.loads(line)) for line in lines)
        return found[: self._thumbnails.stat().st_size // _BYTES]

    def repair(self) -> None:
        """Cut off what an interrupted append left half-written."""
        self._lines.parent.mkdir(parents=True, exist_ok=True)
        own_file(self._lines)
        own_file(self._thumbnails)
        text = "".join(json.dumps(astuple(item)) + "\n" for item in self._facts)
        if not self._lines.is_file() or self._lines.stat().st_size != len(text):
            self._lines.write_text(text, encoding="utf-8")
        with self._thumbnails.open("ab") as stream:
            stream.truncate(len(self._facts) * _BYTES)

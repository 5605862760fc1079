"""The verb `view`: single images with what the metadata say of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps

from skincli.config.schema import Config
from skincli.data.reading.metadata import MetadataRow
from skincli.data.records import Assigned
from skincli.data.seeing.choosing import find_rows, sample
from skincli.data.seeing.contents import Contents, open_contents
from skincli.errors import DataError, ImageError, UsageError

SIDE: Final = 320
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of an image. `width` and `height` are those of its file, upright, in pixels.

    `age` is in years, None where unknown. Text is empty where its column is absent.
    """

    image_id: str
    lesion_id: str
    dx: str
    part: Assigned
    dx_type: str
    age: float | None
    sex: str
    localization: str
    dataset: str
    width: int
    height: int

    @property
    def caption(self) -> tuple[str, str, str]:
        """Three short lines: the id; diagnosis, age and sex; site and part."""
        age = "" if self.age is None else f"{self.age:g} y"
        return (
            _line(self.image_id),
            _line(self.dx, age, self.sex),
            _line(self.localization, self.part),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Viewed:
    """An image, RGB and scaled to fit a square of `SIDE` pixels, and its facts."""

    facts: ImageFacts
    picture: Image.Image


def view(config: Config, image_ids: Sequence[str], n_random: int = 0) -> tuple[Viewed, ...]:
    """The images asked for, and `n_random` more by lot (`config.seed`), each of another lesion.

    Raises UsageError when none or too many are asked for, and DataError for an id that there is
    not or an image that cannot be read.
    """
    with open_contents(config) as contents:
        rows = find_rows(image_ids, contents.rows, contents.rejected)
        others = [row for row in contents.rows if row not in rows] if n_random else []
        rows += sample(others, n_random, config.seed)
        if not rows:
            raise _nothing_asked(contents)
        if len(rows) > _MOST:
            raise UsageError(f"{len(rows):,} images are too many to look at", f"ask for {_MOST}")
        return tuple(_viewed(row, contents) for row in rows)


def _line(*texts: str) -> str:
    """One line, whatever control characters the metadata hold."""
    line = " · ".join(text for text in texts if text)
    return "".join(c if c.isprintable() else "�" for c in line)


def _nothing_asked(contents: Contents) -> UsageError:
    some = " ".join(row.image_id for row in contents.rows[:3])
    return UsageError(
        "say which images to show", f"`skincli data view {some}`, or `--random 6` for any"
    )


def _viewed(row: MetadataRow, contents: Contents) -> Viewed:
    try:
        picture = contents.picture(row.image_id, None)
    except ImageError as error:
        raise DataError(f"`{row.image_id}`: {error.message}") from None
    facts = ImageFacts(
        image_id=row.image_id,
        lesion_id=row.lesion_id,
        dx=row.dx,
        part=contents.parts[row.image_id],
        dx_type=row.dx_type,
        age=row.age,
        sex=row.sex,
        localization=row.localization,
        dataset=row.dataset,
        width=picture.width,
        height=picture.height,
    )
    return Viewed(facts, ImageOps.contain(picture, (SIDE, SIDE), Image.Resampling.LANCZOS))

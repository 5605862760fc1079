"""What the ISIC Archive says of an image, as a row of metadata."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from skincli.errors import DataError
from skincli.taxonomy import diagnosis_code

COLUMNS: Final = (
    "image_id", "lesion_id", "dx", "dx_type", "age", "sex", "localization", "dataset",
    "diagnosis", "licence", "attribution",
)  # fmt: skip
# The archive names a diagnosis at up to five levels, 5 the most specific.
_LEVELS: Final = ("diagnosis_5", "diagnosis_4", "diagnosis_3", "diagnosis_2", "diagnosis_1")
_ISIC_ID: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class IsicImage:
    """An image of the archive. `dx` is None where no level of its diagnosis is one of the seven.

    `url` answers for some time only. `size` is in bytes.
    """

    isic_id: str
    url: str
    size: int | None
    lesion_id: str
    dx: str | None
    diagnosis: str
    dx_type: str
    age: str
    sex: str
    localization: str
    licence: str
    attribution: str


def parse_image(result: Mapping[str, Any]) -> IsicImage:
    """One result of the API. Raises DataError when it lacks what every result has."""
    try:
        isic_id, full = str(result["isic_id"]), result["files"]["full"]
        url, size = str(full["url"]), full.get("size")
        clinical = result["metadata"].get("clinical") or {}
    except (KeyError, TypeError, AttributeError):
        raise DataError("the ISIC Archive describes an image in another form than v2") from None
    if not _ISIC_ID.fullmatch(isic_id):
        raise DataError(f"the ISIC Archive gives an image the id `{isic_id}`")
    named = [str(clinical[level]) for level in _LEVELS if clinical.get(level)]
    codes = (diagnosis_code(name) for name in named)
    return IsicImage(
        isic_id=isic_id,
        url=url,
        size=size,
        lesion_id=_first(clinical, "lesion_id", "patient_id") or isic_id,
        dx=next((code for code in codes if code), None),
        diagnosis=named[0] if named else "",
        dx_type=_first(clinical, "diagnosis_confirm_type"),
        age=_first(clinical, "age_approx"),
        sex=_first(clinical, "sex"),
        localization=_first(clinical, "anatom_site_general"),
        licence=_first(result, "copyright_license"),
        attribution=_first(result, "attribution"),
    )


def cells(image: IsicImage) -> tuple[str, ...]:
    """The row of an image, in the order of `COLUMNS`."""
    return (
        image.isic_id, image.lesion_id, image.dx or "", image.dx_type, image.age, image.sex,
        image.localization, image.attribution, image.diagnosis, image.licence, image.attribution,
    )  # fmt: skip


def _first(content: Mapping[str, Any], *keys: str) -> str:
    """The first value that is given, as text."""
    values = (content.get(key) for key in keys)
    return next((str(value) for value in values if value not in (None, "")), "")

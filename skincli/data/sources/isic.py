"""A search of the ISIC Archive: the images whose diagnosis is one of the seven, and their table.

Left in `raw`: `images/<isic_id>.jpg`, `metadata.csv`, `unmapped.csv`, `listing.jsonl` (what the
API said of every image) and `SHA256SUMS` of the images, which `sha256sum --check` understands.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from skincli.bundle import file_sha256
from skincli.config.data import DataConfig
from skincli.data.download.web import open_web
from skincli.data.raw import IMAGE_SUMS
from skincli.data.sources.base import count_rows
from skincli.data.sources.isic_images import download_images
from skincli.data.sources.isic_listing import list_images
from skincli.data.sources.isic_table import COLUMNS, IsicImage, cells
from skincli.data.storage import read_csv, write_csv
from skincli.errors import DataError
from skincli.progress import Progress

_METADATA: Final = "metadata.csv"
_UNMAPPED: Final = "unmapped.csv"
_IMAGES: Final = "images"
_SHOWN: Final = 5


def origin(data: DataConfig) -> str:
    """The server alone: what is searched for is a setting, and its images are the same in all."""
    return f"ISIC Archive at {data.download.isic}"


def fill(staging: Path, data: DataConfig, progress: Progress) -> bool:
    with open_web(data.download) as web:
        images = list_images(web, data.isic, staging, progress)
        mapped = [image for image in images if image.dx]
        _tell_unmapped(staging, [image for image in images if not image.dx], progress)
        if not mapped:
            raise DataError(
                f"none of the {len(images):,} images found has one of the seven diagnoses",
                f"`{staging / _UNMAPPED}` lists theirs; set another data.isic.query",
            )
        lost = download_images(web, mapped, staging / _IMAGES, progress)
    if lost:
        progress.warn(f"{len(lost):,} images are there no more: {', '.join(sorted(lost)[:_SHOWN])}")
    kept = [image for image in mapped if image.isic_id not in lost]
    write_csv(staging / _METADATA, COLUMNS, [cells(image) for image in kept])
    _write_sums(staging, kept, progress)
    return False  # the API gives no hashes


def may_keep(name: str, data: DataConfig) -> bool:
    return name.startswith(f"{_IMAGES}/")


def licence(raw: Path, data: DataConfig) -> str:
    """Every licence that an image of the set carries."""
    return ", ".join(sorted({row["licence"] for row in read_csv(raw / _METADATA)}))


def count_images(raw: Path, data: DataConfig) -> int:
    return count_rows(raw / _METADATA)


def _tell_unmapped(staging: Path, images: Sequence[IsicImage], progress: Progress) -> None:
    """List the images that are left out, by diagnosis, the most frequent first."""
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for image in images:
        ids[image.diagnosis].append(image.isic_id)
    found = sorted(ids.items(), key=lambda item: (-len(item[1]), item[0]))
    rows = [(diagnosis, len(of_it), " ".join(of_it)) for diagnosis, of_it in found]
    write_csv(staging / _UNMAPPED, ("diagnosis", "count", "image_ids"), rows)
    if images:
        counts = (f"{name or 'none given'} {len(of_it):,}" for name, of_it in found[:_SHOWN])
        more = ", …" if len(found) > _SHOWN else ""
        progress.warn(
            f"{len(images):,} images are left out, whose diagnosis is none of the seven: "
            f"{', '.join(counts)}{more} (all in {_UNMAPPED})"
        )


def _write_sums(staging: Path, images: Sequence[IsicImage], progress: Progress) -> None:
    names = sorted(f"{_IMAGES}/{image.isic_id}.jpg" for image in images)
    with progress.step("Hashing images", len(names)) as step:
        lines = []
        for name in names:
            lines.append(f"{file_sha256(staging / name)}  {name}\n")
            step.advance()
    (staging / IMAGE_SUMS).write_text("".join(lines), encoding="utf-8")

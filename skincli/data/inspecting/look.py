"""Looking at image files: each is read and decoded once, in threads."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from skincli.data.inspecting.log import THUMBNAIL, ImageFacts, Inspection, InspectionLog
from skincli.data.reading.images import ImageStore
from skincli.errors import ImageError
from skincli.imaging import Limits, Pixels, open_image
from skincli.progress import Progress

_BATCH: Final = 64
_BLACK: Final[Pixels] = np.zeros((THUMBNAIL, THUMBNAIL), dtype=np.uint8)


def inspect_images(
    folder: Path, store: ImageStore, image_ids: Sequence[str], limits: Limits, progress: Progress
) -> Inspection:
    """Look at the images that were not seen yet or have changed since; what is known of all.

    Those with a fault are looked at again each time: a higher limit or an installed decoder mends
    them without a change to the file. The caller holds the set's lock.
    """
    log = InspectionLog(folder)
    tokens = {image_id: store.token(image_id) for image_id in image_ids}
    unseen = [i for i in image_ids if not _holds(log.find(i, tokens[i]), store.size(i), limits)]
    if unseen:
        log.repair()
        with progress.step("Inspecting images", len(unseen)) as step:
            for facts, thumbnails in _look_at(unseen, tokens, store, limits):
                log.append(facts, thumbnails)
                step.advance(len(facts))
    return log.of(tokens)


def known_inspection(
    folder: Path, store: ImageStore, image_ids: Sequence[str]
) -> Inspection | None:
    """What is known of the images, None when one of them has yet to be looked at."""
    found = InspectionLog(folder).of({image_id: store.token(image_id) for image_id in image_ids})
    return found if len(found.facts) == len(image_ids) else None


def _holds(facts: ImageFacts | None, size: int, limits: Limits) -> bool:
    """Whether an image was looked at, is sound and is within the limits, which may have changed."""
    if facts is None or facts.fault:
        return False
    return size <= limits.max_bytes and facts.width * facts.height <= limits.max_pixels


def _look_at(
    image_ids: Sequence[str], tokens: Mapping[str, str], store: ImageStore, limits: Limits
) -> Iterator[tuple[list[ImageFacts], Pixels]]:
    """Findings in batches, in order."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for start in range(0, len(image_ids), _BATCH):
            batch = image_ids[start : start + _BATCH]
            found = list(pool.map(lambda i: _look(i, tokens[i], store, limits), batch))
            yield [facts for facts, _ in found], np.stack([pixels for _, pixels in found])


def _look(
    image_id: str, token: str, store: ImageStore, limits: Limits
) -> tuple[ImageFacts, Pixels]:
    try:
        _require_size(store.size(image_id), limits)
        data = store.read(image_id)
        image = open_image(data, limits)
        thumbnail = _thumbnail(image.decode(at_least=THUMBNAIL))
    except ImageError as error:
        return ImageFacts(image_id, token, "", 0, 0, "", error.message), _BLACK
    digest = hashlib.sha256(data).hexdigest()
    header = image.header
    converted = ", ".join(header.conversions)
    size = header.width, header.height
    return ImageFacts(image_id, token, digest, *size, converted, ""), thumbnail


def _require_size(size: int, limits: Limits) -> None:
    """Raises ImageError for a file that is too large even to be read."""
    if size > limits.max_bytes:
        raise ImageError(
            f"the file has {size:,} bytes, more than the {limits.max_bytes:,} allowed",
            "too_many_bytes",
        )


def _thumbnail(image: Image.Image) -> Pixels:
    grey = image.convert("L").resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(grey, dtype=np.uint8)

"""Which images to show: by their ids, or drawn by lot with a seed."""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from skincli.data.reading.files import image_id_of
from skincli.data.reading.metadata import MetadataRow
from skincli.data.records import Rejected
from skincli.errors import DataError

_SHOWN: Final = 5


def sample_by_dx(
    rows: Iterable[MetadataRow], count: int, seed: int
) -> dict[str, list[MetadataRow]]:
    """For each diagnosis up to `count` images, each of another lesion, by id."""
    by_dx: defaultdict[str, list[MetadataRow]] = defaultdict(list)
    for row in rows:
        by_dx[row.dx].append(row)
    return {dx: sample(by_dx[dx], count, seed) for dx in sorted(by_dx)}


def sample(rows: Iterable[MetadataRow], count: int, seed: int) -> list[MetadataRow]:
    """Up to `count` images by lot, each of another lesion, sorted by id.

    The order of the rows plays no role.
    """
    rng = np.random.default_rng(seed)
    shuffled = sorted(rows, key=lambda row: row.image_id)
    one_each = {shuffled[i].lesion_id: shuffled[i] for i in rng.permutation(len(shuffled))}
    return sorted(list(one_each.values())[:count], key=lambda row: row.image_id)


def find_rows(
    words: Sequence[str], rows: Iterable[MetadataRow], rejected: Iterable[Rejected]
) -> list[MetadataRow]:
    """The rows of image ids or file names, each once, in the order asked for.

    Raises DataError for an id that there is not, with ids that are near.
    """
    known = {row.image_id: row for row in rows}
    wanted = list(dict.fromkeys(word if word in known else image_id_of(word) for word in words))
    unknown = [image_id for image_id in wanted if image_id not in known]
    if unknown:
        raise _unknown(unknown, known, {row.image_id: row for row in rejected})
    return [known[image_id] for image_id in wanted]


def _unknown(
    unknown: Sequence[str], known: Mapping[str, MetadataRow], rejected: Mapping[str, Rejected]
) -> DataError:
    first = unknown[0]
    if first in rejected:
        reason, detail = rejected[first].reason, rejected[first].detail
        return DataError(f"`{first}` was left out: {reason}{f' ({detail})' if detail else ''}")
    of_lesion = [row.image_id for row in known.values() if row.lesion_id == first]
    if of_lesion:
        return DataError(f"`{first}` is a lesion, not an image", _some("its images", of_lesion))
    near = difflib.get_close_matches(first, known, n=_SHOWN)
    hint = _some("did you mean", near) if near else _some("there are", list(known))
    more = f", nor {len(unknown) - 1:,} more of those asked for" if len(unknown) > 1 else ""
    return DataError(f"there is no image `{first}`{more}", hint)


def _some(what: str, image_ids: Sequence[str]) -> str:
    more = ", …" if len(image_ids) > _SHOWN else ""
    return f"{what}: {', '.join(image_ids[:_SHOWN])}{more}"

"""Lesions to parts: by lesion, stratified by diagnosis, and the same on every machine.

The rank of a lesion comes from a hash of its id, so the order of the rows plays no role, and
adding lesions moves only those near a cut.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from skincli.config.data import PartsConfig
from skincli.data.records import PARTS, Part
from skincli.errors import DataError


def lesion_diagnoses(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One diagnosis per lesion from (lesion id, dx) pairs: the most frequent, ties by code."""
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for lesion_id, dx in pairs:
        votes[lesion_id][dx] += 1
    return {
        lesion_id: min(counts, key=lambda dx: (-counts[dx], dx))
        for lesion_id, counts in votes.items()
    }


def assign_parts(diagnoses: Mapping[str, str], split: PartsConfig) -> dict[str, Part]:
    """The part of each lesion, given the diagnosis of each lesion.

    Every diagnosis reaches every part. Raises DataError when one has fewer lesions than parts.
    """
    by_dx: defaultdict[str, list[str]] = defaultdict(list)
    for lesion_id, dx in diagnoses.items():
        by_dx[dx].append(lesion_id)
    _require_enough(by_dx)
    parts: dict[str, Part] = {}
    for lesions in by_dx.values():
        ranked = sorted(lesions, key=lambda lesion: _rank(split.seed, lesion))
        cuts = _cuts(len(ranked), split)
        for part, start, stop in zip(PARTS, cuts, cuts[1:], strict=False):
            parts.update(dict.fromkeys(ranked[start:stop], part))
    return parts


def _require_enough(by_dx: Mapping[str, list[str]]) -> None:
    few = [f"{dx} has {len(by_dx[dx])}" for dx in sorted(by_dx) if len(by_dx[dx]) < len(PARTS)]
    if few:
        raise DataError(
            f"a diagnosis needs at least {len(PARTS)} lesions, one for each part, but "
            f"{', '.join(few)}",
            "add lesions of that diagnosis, or leave it out of the metadata",
        )


def _rank(seed: int, lesion_id: str) -> bytes:
    return hashlib.sha256(f"{seed}:{lesion_id}".encode()).digest()


def _cuts(count: int, split: PartsConfig) -> list[int]:
    """Where each part starts among `count` ranked lesions, and the end; no part is empty."""
    cuts = [0]
    share = 0.0
    for index, part in enumerate(PARTS[:-1], start=1):
        share += getattr(split, part)
        latest = count - (len(PARTS) - index)
        cuts.append(min(max(round(share * count), cuts[-1] + 1), latest))
    return [*cuts, count]

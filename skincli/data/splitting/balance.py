"""How well a seed meets the shares within every diagnosis, and whether another would do better.

The part of a lesion depends on no other lesion, so a rare diagnosis may be dealt unevenly. Before
anything is trained on a split, another seed is free.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from skincli.config.data import PartsConfig
from skincli.data.records import PARTS
from skincli.data.splitting.rank import part_of

_SEEDS: Final = 500
_HASHES: Final = 1_000_000
# A part with less than half, or more than one and a half times, of its share of a diagnosis.
_TOLERATED: Final = 0.5


def imbalance(diagnoses: Mapping[str, str], shares: PartsConfig) -> tuple[float, str]:
    """The worst error over diagnoses and parts as a share of what is due, and where it is.

    0 is perfect, 1 a part without a single lesion of a diagnosis. `diagnoses` gives the diagnosis
    of each group of lesions.
    """
    dealt = Counter((dx, part_of(group, shares)) for group, dx in diagnoses.items())
    errors: list[tuple[float, str]] = []
    for dx, count in sorted(Counter(diagnoses.values()).items()):
        for part in PARTS:
            found, due = dealt[dx, part], count * getattr(shares, part)
            error = abs(found - due) / max(due, 1.0) if found else 1.0
            errors.append((error, f"{part} has {found} of {count} lesions of {dx}"))
    return max(errors)


def advice(diagnoses: Mapping[str, str], shares: PartsConfig) -> str | None:
    """What to say of a split that is about to be made; None when it is even enough."""
    worst, where = imbalance(diagnoses, shares)
    if worst <= _TOLERATED:
        return None
    seeds = range(min(_SEEDS, _HASHES // len(diagnoses)))
    found = [(imbalance(diagnoses, replace(shares, seed=seed))[0], seed) for seed in seeds]
    best, seed = min(found, default=(worst, shares.seed))
    if best >= worst:
        return f"Unevenly dealt: {where}"
    return f"Unevenly dealt: {where}; before you train, `data.parts.seed={seed}` deals best"

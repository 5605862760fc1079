"""Where a group of lesions falls: by the rank of a hash of its name, and by nothing else.

The rank is a number in [0, 1), and the shares cut this range into parts. A group's part depends on
no other group, so it stays when images come and go, and a set that grew in steps is split exactly
as one that came at once. The price: shares of a diagnosis are met only on average.
"""

import hashlib
from typing import Final

from skincli.config.data import PartsConfig
from skincli.data.records import PARTS, Part

_RANGE: Final = 2**64


def part_of(group: str, shares: PartsConfig) -> Part:
    """The part of a group of lesions under these shares and this seed."""
    rank = _rank(f"{shares.seed}:{group}")
    end = 0.0
    for part in PARTS:
        end += getattr(shares, part)
        if rank < end:
            return part
    return PARTS[-1]


def fold_of(group: str, folds: int, seed: int) -> int:
    """The fold, 0 to `folds - 1`, in which a group of lesions is validated."""
    return int(_rank(f"fold {seed}:{group}") * folds)


def is_first_half(name: str) -> bool:
    """Half of all names, the same half every time."""
    return _rank(f"half:{name}") < 0.5


def _rank(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / _RANGE

"""Where images come from, which part each belongs to, and the packed arrays they end up in."""

from skincli.data.describing import describe
from skincli.data.fetching import fetch
from skincli.data.preparing import prepare
from skincli.data.records import (
    PARTS,
    DataInfo,
    FetchResult,
    Manifest,
    Part,
    PreparedSet,
    PrepareResult,
    Sample,
)

__all__ = [
    "PARTS",
    "DataInfo",
    "FetchResult",
    "Manifest",
    "Part",
    "PrepareResult",
    "PreparedSet",
    "Sample",
    "describe",
    "fetch",
    "prepare",
]

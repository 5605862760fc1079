"""Where images come from, which part each belongs to, and the packed arrays they end up in."""

from skincli.data.checking import check
from skincli.data.fetching import fetch
from skincli.data.preparing import prepare
from skincli.data.records import (
    PARTS,
    CheckResult,
    DataInfo,
    FetchResult,
    Manifest,
    Part,
    PreparedSet,
    PrepareResult,
    Sample,
)
from skincli.data.seeing.describing import describe

__all__ = [
    "PARTS",
    "CheckResult",
    "DataInfo",
    "FetchResult",
    "Manifest",
    "Part",
    "PrepareResult",
    "PreparedSet",
    "Sample",
    "check",
    "describe",
    "fetch",
    "prepare",
]

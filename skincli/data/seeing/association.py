"""How far one category tells another: does the camera give the diagnosis away?"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from skincli.data.records import Confounding

Counts = NDArray[np.int64]


def cramers_v(table: Counts) -> float | None:
    """Bias-corrected Cramér's V of a table of counts `[rows, columns]`, from 0 (none) to 1.

    After Bergsma 2013 (doi:10.1016/j.jkss.2012.10.002): without the correction, small tables of
    independent categories look associated. None where a row or column alone is filled.
    """
    table = _filled(table)
    rows, columns = table.shape
    if min(rows, columns) < 2:
        return None
    total = table.sum()
    expected = _expected(table)
    phi2 = ((table - expected) ** 2 / expected).sum() / total
    phi2 = max(0.0, phi2 - (rows - 1) * (columns - 1) / (total - 1))
    corrected = [n - (n - 1) ** 2 / (total - 1) for n in (rows, columns)]
    smaller = min(corrected) - 1
    # As many images as categories: there is nothing left to correct with.
    return float(min(1.0, np.sqrt(phi2 / smaller))) if smaller > 0 else None


def find_confounding(dx_by_dataset: Mapping[str, Mapping[str, int]]) -> Confounding | None:
    """How far the source gives the diagnosis away, and where most. None for a single source.

    The strongest case is the cell with the largest adjusted residual (Haberman 1973,
    doi:10.2307/2529686): the one that independence explains least.
    """
    sources = list(dx_by_dataset)
    codes = list(dict.fromkeys(dx for counts in dx_by_dataset.values() for dx in counts))
    table = np.array(
        [[counts.get(dx, 0) for dx in codes] for counts in dx_by_dataset.values()], dtype=np.int64
    ).reshape(len(sources), len(codes))
    strength = cramers_v(table)
    if strength is None:
        return None
    row, column = np.unravel_index(_adjusted_residuals(table).argmax(), table.shape)
    return Confounding(
        cramers_v=strength,
        dataset=sources[row],
        dx=codes[column],
        n_images=int(table[row, column]),
        n_images_of_dataset=int(table[row].sum()),
    )


def _filled(table: Counts) -> Counts:
    """The table without its empty rows and columns."""
    return table[table.any(axis=1)][:, table.any(axis=0)]


def _expected(table: Counts) -> NDArray[np.float64]:
    """The counts of independent categories with the same totals."""
    outer = np.outer(table.sum(axis=1), table.sum(axis=0)).astype(np.float64)
    return outer / float(table.sum())


def _adjusted_residuals(table: Counts) -> NDArray[np.float64]:
    """Standard normal for independent categories; 0 where a row or column is empty or all."""
    expected, total = _expected(table), table.sum()
    others = np.outer(1 - table.sum(axis=1) / total, 1 - table.sum(axis=0) / total)
    deviation = np.sqrt(expected * others)
    return np.divide(table - expected, deviation, out=np.zeros(table.shape), where=deviation > 0)

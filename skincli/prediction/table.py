"""Predictions as a CSV file."""

import csv
from pathlib import Path

from skincli.errors import SkincliError
from skincli.prediction.rows import PredictionRow, PredictResult


def write_csv(result: PredictResult, path: Path) -> None:
    """Write a row per image, in one step. Decisions are 0 or 1; an error leaves cells empty.

    Raises SkincliError when the file cannot be written.
    """
    codes = [info.code for info in result.classes]
    header = ["path", "predicted", "name", "probability", "malignant_probability", "malignant"]
    header += ["conformal_set", "novelty", "out_of_distribution", "abstain"]
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A file name need not be valid UTF-8: its bytes go out as they came in.
        with partial.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow([*header, *(f"p_{code}" for code in codes), "heatmap", "error"])
            writer.writerows(_cells(row, codes) for row in result.rows)
        partial.replace(path)
    except OSError as error:
        raise SkincliError(f"`{path}` cannot be written: {error.strerror}") from None


def _cells(row: PredictionRow, codes: list[str]) -> list[object]:
    """The csv module writes None as an empty cell. Nine digits keep a float32 exactly."""
    probabilities = row.probabilities or {}
    return [
        row.path,
        row.code,
        row.name,
        _digits(row.probability),
        _digits(row.malignant_probability),
        _flag(row.malignant),
        None if row.conformal_set is None else " ".join(row.conformal_set),
        _digits(row.novelty),
        _flag(row.out_of_distribution),
        row.abstain,
        *(_digits(probabilities.get(code)) for code in codes),
        row.heatmap,
        row.error,
    ]


def _flag(value: bool | None) -> int | None:
    return None if value is None else int(value)


def _digits(value: float | None) -> str | None:
    return None if value is None else f"{value:.9g}"

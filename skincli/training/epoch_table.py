"""A line of text for each epoch, under a header that is said once."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from skincli.progress import Progress

_SCORE: Final = "validation_balanced_accuracy"


def _rounded(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:.2e}"


def _seconds(value: float) -> str:
    return f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"


# Name in `metrics.csv`, two lines of header, width, and how it is written. 78 characters in all
# with the epoch and the star: a terminal has 80.
_COLUMNS: Final[tuple[tuple[str, str, str, int, Callable[[float], str]], ...]] = (
    ("train_loss", "train", "loss", 8, _rounded),
    ("validation_loss", "validation", "loss", 10, _rounded),
    (_SCORE, "balanced", "accuracy", 8, _rounded),
    ("validation_macro_auroc", "macro", "AUROC", 6, _rounded),
    ("learning_rate", "learning", "rate", 8, lambda value: f"{value:.1e}"),
    ("images_per_second", "images", "per s", 8, lambda value: f"{value:,.0f}"),
    ("seconds", "", "seconds", 7, _seconds),
)
_GAP: Final = " "


class EpochTable:
    """Notes one line an epoch, with a star where the validation score is the best so far.

    `earlier` are the rows of `metrics.csv` of a run that is gone on with.
    """

    def __init__(
        self, progress: Progress, max_epochs: int, earlier: Sequence[Mapping[str, float]] = ()
    ) -> None:
        self._progress = progress
        self._of = f"/{max_epochs}"
        self._width = max(len("epoch"), 2 * len(self._of) - 1)
        self._scores = {int(row["epoch"]): _figure(row, _SCORE) for row in earlier}
        self._begun = False

    def add(self, epoch: int, figures: Mapping[str, float]) -> None:
        """One epoch has ended, counted from 0. A figure that is missing or no number is a dash."""
        if not self._begun:
            self._begun = True
            for line in self._header():
                self._progress.note(line)
        score = _figure(figures, _SCORE)
        # Epochs that a resume repeats, and those after them, are not earlier ones.
        self._scores = {at: value for at, value in self._scores.items() if at < epoch}
        best = score > max(self._scores.values(), default=-math.inf)
        self._scores[epoch] = score
        cells = [
            _cell(_figure(figures, name), write).rjust(width)
            for name, _, _, width, write in _COLUMNS
        ]
        number = f"{epoch + 1}{self._of}".rjust(self._width)
        self._progress.note(_GAP.join([number, *cells, "*" if best else ""]).rstrip())

    def _header(self) -> tuple[str, str]:
        upper = [top.rjust(width) for _, top, _, width, _ in _COLUMNS]
        lower = [bottom.rjust(width) for _, _, bottom, width, _ in _COLUMNS]
        return (
            _GAP.join([" " * self._width, *upper, "* best"]),
            _GAP.join(["epoch".rjust(self._width), *lower, "so far"]),
        )


def _figure(figures: Mapping[str, float], name: str) -> float:
    """The figure, or minus infinity where there is none."""
    value = figures.get(name, math.nan)
    return value if math.isfinite(value) else -math.inf


def _cell(value: float, write: Callable[[float], str]) -> str:
    return write(value) if math.isfinite(value) else "–"

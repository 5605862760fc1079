"""The curves of a training and of a test, as charts within the Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from skincli.pages.markdown import Markdown, blocks, details, plain
from skincli.reporting.charts import Axis, Values, bars, chart, thinned
from skincli.reporting.facts import Measured

_LOSSES: Final = {"train_loss": "training", "validation_loss": "validation"}
_SCORE: Final = "validation_balanced_accuracy"
_SCORES: Final = {_SCORE: "balanced accuracy", "validation_macro_auroc": "macro AUROC"}
_HEADROOM: Final = 1.05

Row = Mapping[str, float | None]


def training(epochs: Sequence[Row]) -> Markdown:
    """Losses and scores by epoch; words where there is nothing to draw."""
    if not epochs:
        return plain("The tracking store holds no figures of single epochs.")
    rows = thinned(epochs)
    if len(rows) < 2:
        return plain(f"One epoch. {_best(epochs)}")
    axis = Axis(name="epoch", start=_number(rows[0]), end=_number(rows[-1]))
    losses = {label: [row.get(name) for row in rows] for name, label in _LOSSES.items()}
    scores = {label: [row.get(name) for row in rows] for name, label in _SCORES.items()}
    return blocks(
        (
            f"{len(epochs)} epochs. {_best(epochs)}",
            chart(axis, "loss", _top(losses.values()), losses),
            chart(axis, "validation part", 1, scores),
        )
    )


def roc_and_reliability(measured: Measured) -> Markdown:
    """How well malignant images are ranked, and how far confidence can be trusted."""
    roc, bins = measured.roc, measured.reliability
    curves = {"this model": roc.model, "champion": roc.champion, "chance": roc.false_alarms}
    axis = Axis(name="1 - specificity", start=0, end=1)
    known = {name: values for name, values in curves.items() if values is not None}
    drawn = chart(axis, "sensitivity", 1, known) if roc.model else plain("Not defined here.")
    reliability = (
        "Bars: how often the model is right. Line: how sure it is. A bar for each of "
        f"{len(bins.accuracy)} bins of about {bins.n_images[0]:,} images by rising confidence."
    )
    return blocks(
        (
            details("ROC: malignant against benign", drawn),
            details(
                "Reliability of the predicted class",
                reliability,
                bars("images by rising confidence", bins.accuracy, bins.confidence),
            ),
        )
    )


def _best(epochs: Sequence[Row]) -> str:
    scores = [(score, _number(row)) for row in epochs if (score := row.get(_SCORE)) is not None]
    if not scores:
        return "No balanced accuracy on the validation part is known."
    score, epoch = max(scores)
    return f"Best balanced accuracy on the validation part: {score:.3f}, in epoch {epoch:.0f}."


def _number(row: Row) -> float:
    """People count from 1."""
    return (row.get("epoch") or 0) + 1


def _top(lines: Iterable[Values]) -> float:
    """Where an axis may end so that nothing touches its end."""
    known = [value for line in lines for value in line if value is not None]
    return _HEADROOM * max(known, default=0) or 1

"""How figures of merit are shown."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from skincli.cli.output import Output

if TYPE_CHECKING:
    from skincli.evaluation.metrics import Metrics

SYNTHETIC_NOTICE = "Measured on synthetic images: not a medical result."


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def show_metrics(output: Output, metrics: "Metrics") -> None:
    """Headline figures, then a line per class."""
    from skincli.evaluation.metrics import headline

    rows = [[name.replace("_", " "), number(value)] for name, value in headline(metrics).items()]
    output.table(["metric", "value"], rows)
    columns = ["class", "images", "sensitivity", "specificity", "AUROC", "average precision"]
    per_class = [
        [
            code,
            str(found.n),
            number(found.sensitivity),
            number(found.specificity),
            number(found.auroc),
            number(found.average_precision),
        ]
        for code, found in metrics.per_class.items()
    ]
    output.table(columns, per_class)


def short_figures(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in metrics.items())

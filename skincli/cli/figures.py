"""How figures of merit are shown."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from skincli.cli.output import Output

if TYPE_CHECKING:
    from skincli.evaluation.findings import Findings
    from skincli.evaluation.metrics import Metrics
    from skincli.evaluation.resampling import Interval

SYNTHETIC_NOTICE = "Measured on synthetic images: not a medical result."


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def spread(found: "Interval | None") -> str:
    """A figure and its 95 % interval."""
    return "–" if found is None else f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def headline(metrics: "Metrics") -> dict[str, float | None]:
    """The figures that come first, by name."""
    from skincli.evaluation.metrics import HEADLINE

    return {name: getattr(metrics, name) for name in HEADLINE}


def show_findings(output: Output, found: "Findings") -> None:
    """Headline figures, then a line per class, each with its interval."""
    from skincli.evaluation.metrics import HEADLINE
    from skincli.evaluation.report.blocks import words

    intervals = found.intervals
    rows = [[words(name), spread(intervals.get(name))] for name in HEADLINE]
    output.table(["metric", "value (95 % interval)"], rows)
    shown = ("sensitivity", "specificity", "auroc")
    per_class = [
        [code, f"{one.n:,}", *(spread(intervals.get(f"per_class.{code}.{n}")) for n in shown)]
        for code, one in found.metrics.per_class.items()
    ]
    output.table(["class", "images", "sensitivity", "specificity", "AUROC"], per_class)


def short_figures(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in metrics.items())

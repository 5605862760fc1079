"""All pictures of an evaluation."""

from matplotlib.figure import Figure

from skincli.evaluation.findings import Findings, Subject
from skincli.evaluation.plots.canvas import Caption, house_style
from skincli.evaluation.plots.confusion import confusion_figure
from skincli.evaluation.plots.curves import precision_recall_figure, roc_figure
from skincli.evaluation.plots.forest import forest_figure
from skincli.evaluation.plots.reliability import reliability_figure
from skincli.evaluation.predictions import Predictions


def draw(subject: Subject, predictions: Predictions, findings: Findings) -> dict[str, Figure]:
    """The figures by the name of their file, without its ending."""
    metrics, manifest = findings.metrics, subject.manifest
    part = "test part" if subject.part == "test" else "whole external set"
    caption = Caption(manifest.name, part, metrics.n, manifest.synthetic)
    temperature = subject.spec.temperature
    with house_style():
        figures = {
            "confusion_matrix": confusion_figure(metrics, predictions.classes, caption),
            "roc": roc_figure(predictions, metrics, caption),
            "precision_recall": precision_recall_figure(predictions, metrics, caption),
            "reliability": reliability_figure(predictions, metrics, temperature, caption),
        }
        if findings.subgroups:
            figures["subgroups"] = forest_figure(findings.subgroups, findings.intervals, caption)
    return figures

"""The reliability diagram: is the model right as often as it is sure?"""

from matplotlib.figure import Figure

from skincli.evaluation.answers import Answers
from skincli.evaluation.calibration import reliability, untempered
from skincli.evaluation.metrics import Metrics
from skincli.evaluation.plots.canvas import BLUE, GREY, VERMILION, Caption, canvas


def reliability_figure(
    answers: Answers, metrics: Metrics, temperature: float, caption: Caption
) -> Figure:
    """Accuracy against confidence in bins of equal mass, over a histogram of the confidence.

    The grey line is the model before temperature scaling.
    """
    bins = reliability(answers.probabilities, answers.labels)
    before = reliability(untempered(answers.probabilities, temperature), answers.labels)
    figure, (axes, below) = canvas(
        "Reliability of the predicted class", caption, (6.4, 7.4), ratios=(4, 1)
    )
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":", label="perfect")
    axes.plot(
        before.confidence, before.accuracy, ".--", color=GREY, linewidth=1,
        label="before temperature scaling",
    )  # fmt: skip
    error = "" if metrics.ece is None else f" (ECE {metrics.ece:.3f})"
    axes.vlines(bins.confidence, bins.confidence, bins.accuracy, color=VERMILION, label="gap")
    axes.plot(bins.confidence, bins.accuracy, "o-", color=BLUE, label=f"model{error}")
    axes.set(xlim=(0, 1.01), ylim=(0, 1.02))
    axes.set_ylabel("accuracy")
    axes.legend(loc="upper left", fontsize=9)
    below.hist(answers.probabilities.max(axis=1), bins=25, range=(0, 1), color=BLUE)
    below.set_xlabel("confidence")
    below.set_ylabel("images")
    return figure

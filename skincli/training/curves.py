"""The learning curves of a run as a picture."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def draw_curves(epochs: Sequence[dict[str, float]], best_epoch: int, title: str, to: Path) -> None:
    """Loss, validation balanced accuracy and learning rate by epoch, the best one marked."""
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    loss, accuracy, rate = figure.subplots(1, 3)
    x = [row["epoch"] for row in epochs]
    loss.plot(x, [row["train_loss"] for row in epochs], label="train", color="#0072b2")
    loss.plot(x, [row["validation_loss"] for row in epochs], label="validation", color="#d55e00")
    loss.set_title("loss (class-weighted)")
    loss.legend(frameon=False)
    scores = [row["validation_balanced_accuracy"] for row in epochs]
    accuracy.plot(x, scores, color="#d55e00")
    accuracy.set_title("validation balanced accuracy")
    rate.plot(x, [row["learning_rate"] for row in epochs], color="#009e73")
    rate.set_title("learning rate")
    for axes in (loss, accuracy, rate):
        axes.axvline(best_epoch, color="0.6", linestyle=":", linewidth=1)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.25)
    figure.savefig(to, dpi=110)

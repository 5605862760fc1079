import io

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from skincli.evaluation.metrics import compute_metrics
from skincli.evaluation.plots.canvas import Caption, to_png
from skincli.evaluation.plots.confusion import confusion_figure
from skincli.evaluation.plots.curves import precision_recall_figure, roc_figure
from skincli.evaluation.plots.reliability import reliability_figure
from skincli.evaluation.predictions import Predictions
from skincli.inference.engine import malignant_probability, softmax
from skincli.taxonomy import classes_of


def drawn_confusion(answers, metrics, caption):
    return confusion_figure(metrics, answers.classes, caption)


def drawn_reliability(answers, metrics, caption):
    return reliability_figure(answers, metrics, 1.5, caption)


FIGURES = [drawn_confusion, roc_figure, precision_recall_figure, drawn_reliability]


def example(labels, task="multiclass"):
    classes = classes_of(task)
    logits = np.random.default_rng(0).normal(size=(len(labels), len(classes)))
    probabilities = softmax(logits.astype(np.float32))
    malignant = malignant_probability(probabilities, classes)
    decided = probabilities.argmax(axis=1)
    scored = Predictions(
        samples=(),
        labels=np.asarray(labels),
        probabilities=probabilities,
        decided=decided,
        malignant=malignant,
        conformal=probabilities > 0.1,
        novelty=np.zeros(len(labels), dtype=np.float32),
        classes=classes,
        flagged=malignant >= 0.4,
    )
    return scored, compute_metrics(scored.labels, probabilities, decided, malignant, classes, 0.4)


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text)]


@pytest.mark.parametrize("draw", FIGURES)
@pytest.mark.parametrize("synthetic", [True, False])
def test_a_figure_names_its_data_and_says_when_they_are_synthetic(draw, synthetic):
    figure = draw(*example(np.arange(70) % 7), Caption("clinic", "test part", 1234, synthetic))
    written = texts(figure)
    assert any("clinic" in text and "1,234 images" in text for text in written)
    assert ("synthetic data" in written) == synthetic
    png = Image.open(io.BytesIO(to_png(figure)))
    assert png.format == "PNG"
    assert min(png.size) > 500


@pytest.mark.parametrize("draw", FIGURES)
@pytest.mark.parametrize(
    ("labels", "task"), [([5], "multiclass"), ([5, 5, 4], "multiclass"), ([0, 1, 0], "binary")]
)
def test_absent_classes_are_drawn_without_complaint(draw, labels, task):
    assert to_png(draw(*example(labels, task), Caption("few", "test part", len(labels), False)))


def test_the_operating_point_is_marked_where_the_metrics_put_it():
    scored, metrics = example(np.arange(70) % 7)
    figure = roc_figure(scored, metrics, Caption("clinic", "test part", 70, False))
    (mark,) = [line for line in figure.axes[0].lines if line.get_marker() == "D"]
    assert mark.get_xydata().tolist() == [
        [1 - metrics.malignant_specificity, metrics.malignant_sensitivity]
    ]


def test_undefined_curves_are_named_as_such():
    scored, metrics = example([5, 5, 5])
    written = texts(roc_figure(scored, metrics, Caption("nevi", "test part", 3, False)))
    assert "malignant (not defined)" in written

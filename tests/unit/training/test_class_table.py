"""The results of a run class by class."""

import csv

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from skincli.evaluation.metrics import compute_metrics
from skincli.taxonomy import classes_of
from skincli.training.classes import class_table, write_classes

CLASSES = classes_of("multiclass")


def table_of(labels, predicted):
    probabilities = np.eye(7)[predicted] * 0.9 + 0.1 / 7
    malignant = probabilities[:, [0, 1, 4]].sum(axis=1)
    return class_table(
        compute_metrics(labels, probabilities, np.asarray(predicted), malignant, CLASSES, 0.5),
        CLASSES,
    )


@pytest.fixture
def labels():
    return np.arange(140) % 7


def test_figures_agree_with_scikit_learn(labels):
    predicted = np.random.default_rng(0).integers(0, 7, 140)
    table = table_of(labels, predicted)
    precision, sensitivity, f1, images = precision_recall_fscore_support(labels, predicted)
    for index, row in enumerate(table.classes):
        assert (row.code, row.images) == (CLASSES[index].code, images[index])
        assert (row.precision, row.sensitivity, row.f1) == pytest.approx(
            (precision[index], sensitivity[index], f1[index])
        )
    assert table.mean.f1 == pytest.approx(f1.mean())
    assert table.mean.sensitivity == pytest.approx(sensitivity.mean())
    assert table.accuracy == pytest.approx((labels == predicted).mean())
    assert table.mean.images == 140


def test_a_class_that_is_never_named_has_no_precision_and_one_without_images_no_f1(labels):
    labels = labels[labels != 6]
    table = table_of(labels, np.where(labels == 3, 6, labels))
    df, vasc = table.classes[3], table.classes[6]
    assert (df.precision, df.sensitivity, df.f1) == (None, 0, 0)
    assert (vasc.precision, vasc.sensitivity, vasc.f1, vasc.auroc) == (0, None, None, None)
    assert table.mean.f1 == pytest.approx(5 / 6)


def test_the_file_has_a_row_per_class_and_the_mean_last(labels, tmp_path):
    write_classes(table_of(labels, np.where(labels == 3, 6, labels)), tmp_path / "classes.csv")
    with (tmp_path / "classes.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["class"] for row in rows] == [*(info.code for info in CLASSES), "mean"]
    assert rows[3]["precision"] == ""
    assert float(rows[6]["precision"]) == pytest.approx(0.5)
    assert rows[7]["images"] == "140"

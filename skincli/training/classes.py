"""The sealed model class by class, on the validation part."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.data import PreparedSet
from skincli.evaluation.metrics import Metrics, compute_metrics
from skincli.evaluation.scoring import score_rows
from skincli.inference.engine import Classifier
from skincli.progress import Progress
from skincli.taxonomy import ClassInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRow:
    """One class against the rest by the diagnoses; None where the images define no value.

    `precision` is the share of the images called so that are so, `f1` the harmonic mean of
    precision and sensitivity (van Rijsbergen 1979).
    """

    code: str
    name: str
    images: int
    sensitivity: float | None
    precision: float | None
    f1: float | None
    auroc: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTable:
    """The classes in the order of the model's outputs, and what they come to.

    In `mean` each class counts the same and `images` are all of them: its sensitivity is the
    balanced accuracy, its AUROC the macro AUROC.
    """

    classes: tuple[ClassRow, ...]
    mean: ClassRow
    accuracy: float | None


def measure_classes(
    config: Config, prepared: PreparedSet, bundle: Bundle, progress: Progress
) -> ClassTable:
    """Score the validation part with the sealed bundle. Raises ModelError on a score that is none.

    That part is what choices are made by: on new images a model does worse, as `evaluate` shows.
    """
    rows = prepared.rows("validation")
    classifier = Classifier(bundle, config.inference.threads)
    found = score_rows(classifier, prepared, rows, config.inference.batch_size, progress)
    metrics = compute_metrics(
        found.labels,
        found.probabilities,
        found.decided,
        found.malignant,
        found.classes,
        bundle.spec.operating_point,
    )
    return class_table(metrics, found.classes)


def class_table(metrics: Metrics, classes: tuple[ClassInfo, ...]) -> ClassTable:
    rows = tuple(_class_row(metrics, index, info) for index, info in enumerate(classes))
    mean = ClassRow(
        code="mean",
        name="each class counts the same",
        images=metrics.n,
        sensitivity=metrics.balanced_accuracy,
        precision=_mean([row.precision for row in rows]),
        f1=_mean([row.f1 for row in rows]),
        auroc=metrics.macro_auroc,
    )
    return ClassTable(classes=rows, mean=mean, accuracy=metrics.accuracy)


def write_classes(table: ClassTable, to: Path) -> None:
    """Write a CSV, a row per class and the mean last; what is not defined stays empty."""
    with to.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["class", "name", "images", "sensitivity", "precision", "f1", "auroc"])
        for row in (*table.classes, table.mean):
            figures = (row.sensitivity, row.precision, row.f1, row.auroc)
            shown = ["" if value is None else f"{value:.6f}" for value in figures]
            writer.writerow([row.code, row.name, row.images, *shown])


def _class_row(metrics: Metrics, index: int, info: ClassInfo) -> ClassRow:
    found = metrics.per_class[info.code]
    hits = metrics.confusion[index][index]
    called = sum(row[index] for row in metrics.confusion)
    return ClassRow(
        code=info.code,
        name=info.name,
        images=found.n,
        sensitivity=found.sensitivity,
        precision=hits / called if called else None,
        # 2 TP / (2 TP + FP + FN); a class that no image has is not measured.
        f1=2 * hits / (called + found.n) if found.n else None,
        auroc=found.auroc,
    )


def _mean(values: list[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None

"""Facts for a report without a model: three classes, 20 images, a champion or none."""

from dataclasses import replace
from typing import Any

from skincli.evaluation.compare import Difference
from skincli.evaluation.metrics import HEADLINE
from skincli.evaluation.resampling import Interval
from skincli.promotion.gate import GateCheck, Verdict
from skincli.reporting.facts import Bins, Facts, Figure, Measured, Roc, Standing, Trained

CLASSES = ("bcc", "mel", "nv")
CONFUSION = ((3, 0, 1), (0, 0, 0), (2, 4, 10))
MODEL = Interval(0.7, 0.6, 0.8, 0.0)
CHAMPION = Interval(0.65, 0.5, 0.75, 0.0)


def difference(value: float, low: float, high: float) -> Difference:
    return Difference(value=value, low=low, high=high, one_sided_low=low, p_value=0.1)


def facts(champion: bool = True, met: bool = True, epochs: int = 3) -> Facts:
    return Facts(
        trained=trained(),
        standing=standing(champion, met),
        measured=measured(champion),
        epochs=tuple(epoch(number) for number in range(epochs)),
    )


def trained(**words: Any) -> Trained:
    usual: dict[str, Any] = {
        "run_id": "3" * 32,
        "run_name": "synthetic-small",
        "created": "2026-01-01T00:00:00+00:00",
        "digest": "b" * 64,
        "backbone": "small_resnet",
        "precision": "float32",
        "image_size": 32,
        "seed": 7,
        "data_name": "synthetic",
        "data_version": "a.dir",
        "synthetic": True,
        "dataset_fingerprint": "d" * 64,
        "split_fingerprint": "e" * 64,
        "data_warnings": (),
        "git_commit": "c" * 40,
        "settings": {"seed": 7, "optimizer.lr": 0.003},
    }
    return Trained(**usual | words)


def standing(champion: bool, met: bool) -> Standing:
    checks = (
        GateCheck("bundle self-test", True, "bundle bbbb answers"),
        GateCheck("calibration error (ECE)", met, "0.030, at most 0.100", 0.03, 0.1),
    )
    return Standing(
        verdict=Verdict(checks, "f" * 12, 4),
        champion="version 3" if champion else None,
        alone="" if champion else "there is no champion yet",
        follows="it becomes champion by hand" if met else "it becomes challenger",
        command="skincli promote 3333" if met else "",
    )


def measured(champion: bool) -> Measured:
    figure = Figure(
        model=MODEL,
        champion=CHAMPION if champion else None,
        difference=difference(0.05, -0.01, 0.1) if champion else None,
    )
    figures = dict.fromkeys([*HEADLINE, "per_class.bcc.auroc", "per_class.nv.sensitivity"], figure)
    if champion:
        better = replace(figure, difference=difference(0.05, 0.01, 0.1))
        worse = replace(figure, difference=difference(-0.05, -0.1, -0.01))
        figures |= {"macro_auroc": better, "malignant_auroc": worse}
        figures["melanoma_sensitivity"] = replace(figure, model=None, difference=None)
    curve = tuple(place / 40 for place in range(41))
    return Measured(
        test_split="f" * 12,
        n_images=20,
        n_lesions=18,
        classes=CLASSES,
        figures=figures,
        confusion=CONFUSION,
        roc=Roc(false_alarms=curve, model=curve, champion=curve if champion else None),
        reliability=Bins(confidence=(0.4, 0.9), accuracy=(0.5, 0.8), n_images=(10, 10)),
        subgroups=(subgroup("female"), subgroup("male")),
    )


def subgroup(name: str) -> dict[str, Any]:
    return {
        "kind": "sex",
        "name": name,
        "n_images": 10,
        "n_lesions": 9,
        "n_malignant": 4,
        "small": True,
        "figures": {"malignant_sensitivity": {"value": 0.5, "low": 0, "high": 1, "undefined": 0}},
    }


def epoch(number: int) -> dict[str, float | None]:
    return {
        "epoch": number,
        "train_loss": 2 / (number + 1),
        "validation_loss": 2.2 / (number + 1),
        "validation_balanced_accuracy": 0.9 - abs(number - 1) / 1000,
        "validation_macro_auroc": 0.95,
    }

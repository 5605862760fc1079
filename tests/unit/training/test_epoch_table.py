"""The lines of epochs, and the panel before them."""

import math
from pathlib import Path

import pytest

from skincli.progress import Silent
from skincli.training.epoch_table import EpochTable
from skincli.training.start import ClassImages, TrainStart


class Notes(Silent):
    def __init__(self):
        self.lines = []

    def note(self, message):
        self.lines.append(message)


def figures(score, **others):
    known = {
        "train_loss": 1.23456,
        "validation_loss": 2.0,
        "validation_balanced_accuracy": score,
        "validation_macro_auroc": 0.9,
        "learning_rate": 3e-4,
        "images_per_second": 123_456.7,
        "seconds": 1234.5,
    }
    return known | others


def told(scores, earlier=(), start=0, max_epochs=300):
    notes = Notes()
    table = EpochTable(notes, max_epochs, earlier)
    for epoch, score in enumerate(scores, start):
        table.add(epoch, figures(score))
    return notes.lines


def starred(lines):
    return [line.split()[0] for line in lines[2:] if line.endswith("*")]


def test_the_header_comes_once_and_columns_are_aligned_in_80_characters():
    lines = told([0.1, 0.2, 0.15], max_epochs=9999)
    assert len(lines) == 2 + 3
    assert max(map(len, lines)) <= 80
    upper, lower = lines[:2]
    for line in lines[2:]:
        for name, cell in (("loss", "1.235"), ("per s", "123,457"), ("seconds", "1,234")):
            assert line.index(cell) + len(cell) == lower.index(name) + len(name)
        assert line.index("0.900") + 5 == upper.index("macro") + 5


def test_a_star_marks_what_is_better_than_all_before():
    assert starred(told([0.2, 0.2, 0.1, 0.3, math.nan, 0.25])) == ["1/300", "4/300"]
    assert starred(told([math.nan, 0.1])) == ["2/300"]


def test_a_run_that_goes_on_remembers_its_best_but_for_epochs_that_are_repeated():
    earlier = [{"epoch": 0, "validation_balanced_accuracy": 0.5}]
    repeated = {"epoch": 1, "validation_balanced_accuracy": 0.9}
    assert starred(told([0.4, 0.6, 0.5], [*earlier, repeated], start=1)) == ["3/300"]
    assert starred(told([0.6, 0.55], [*earlier, repeated], start=1)) == ["2/300"]


def test_a_figure_that_is_missing_is_a_dash():
    notes = Notes()
    incomplete = figures(0.5, validation_macro_auroc=math.nan)
    del incomplete["learning_rate"]
    EpochTable(notes, 3).add(0, incomplete)
    assert notes.lines[-1].split() == [
        "1/3",
        "1.235",
        "2.000",
        "0.500",
        "–",
        "–",
        "123,457",
        "1,234",
        "*",
    ]


@pytest.fixture
def start():
    return TrainStart(
        run_id="a1b2",
        folder=Path("runs/x"),
        device="cpu (2 threads)",
        precision="32-true",
        model="resnet18",
        parameters=11_180_103,
        weights="new weights",
        data="clinic",
        synthetic=False,
        image_size=224,
        crop="center",
        classes=(ClassImages("mel", 1200, 7), ClassImages("nv", 9, 3)),
        batch_size=64,
        max_epochs=30,
        epochs_done=0,
        patience=10,
        tracking="sqlite:///mlflow.db",
    )


def test_the_start_names_what_hours_are_spent_on(start):
    rows = dict(start.rows())
    assert start.title == "Training resnet18 on clinic"
    assert rows["model"] == "resnet18, 11.18 M parameters, new weights"
    assert rows["results"] == "runs/x"
    assert rows["classes"].splitlines() == [
        "              mel  nv    all",
        "train       1,200   9  1,209",
        "validation      7   3     10",
    ]
    assert "note" not in rows


def test_synthetic_data_and_a_resume_are_said_at_the_start(start):
    from dataclasses import replace

    resumed = replace(start, synthetic=True, epochs_done=4, patience=0)
    rows = dict(resumed.rows())
    assert resumed.title == "Going on with resnet18 on clinic (synthetic data)"
    assert "medical" in rows["note"]
    assert rows["epochs"] == "30, 4 of them done"

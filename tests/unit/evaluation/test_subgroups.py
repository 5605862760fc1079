"""Figures by group, and how far the source gives the class away."""

from dataclasses import replace

import numpy as np
import pytest
from answering import drawn_predictions

from skincli.config.operating import EvaluateConfig
from skincli.evaluation.shortcut import measure_shortcut
from skincli.evaluation.subgroups import measure_subgroups
from skincli.progress import Silent
from skincli.taxonomy import DIAGNOSES

SETTINGS = EvaluateConfig(resamples=200)


def with_samples(predictions, **traits):
    """Every sample changed: each trait is a function of its place."""
    samples = tuple(
        replace(sample, **{name: value_of(row) for name, value_of in traits.items()})
        for row, sample in enumerate(predictions.samples)
    )
    object.__setattr__(predictions, "samples", samples)
    return predictions


def test_every_group_is_there_and_its_figures_are_its_own():
    predictions = drawn_predictions(1, 240)
    groups = measure_subgroups(predictions, SETTINGS, Silent())
    for kind in ("sex", "age", "body site", "confirmed by", "source"):
        assert sum(g.n_images for g in groups if g.kind == kind) == 240
    women = next(g for g in groups if g.name == "female")
    rows = np.array([sample.sex == "female" for sample in predictions.samples])
    assert women.n_images == rows.sum()
    assert women.n_lesions == len({s.lesion_id for s in predictions.samples if s.sex == "female"})
    assert women.n_malignant == predictions.is_malignant[rows].sum()
    caught = predictions.flagged[rows & predictions.is_malignant].mean()
    assert women.figures["malignant_sensitivity"].value == pytest.approx(caught)
    assert {g.name for g in groups if g.kind == "age"} >= {"20 to 39", "60 to 79", "unknown"}


def test_a_small_group_is_marked_and_shown():
    predictions = with_samples(
        drawn_predictions(1, 240), sex=lambda row: "male" if row < 8 else "female"
    )
    groups = measure_subgroups(predictions, EvaluateConfig(resamples=100), Silent())
    men, women = (next(g for g in groups if g.name == name) for name in ("male", "female"))
    assert (men.n_lesions, men.small, women.small) == (4, True, False)
    assert "balanced_accuracy" in men.figures


def test_a_group_without_malignant_lesions_has_no_sensitivity():
    predictions = drawn_predictions(1, 240)
    benign = ~predictions.is_malignant
    predictions = with_samples(
        predictions, localization=lambda row: "scalp" if benign[row] else "back"
    )
    scalp = next(g for g in measure_subgroups(predictions, SETTINGS, Silent()) if g.name == "scalp")
    assert scalp.n_malignant == 0
    assert set(scalp.figures) == {"balanced_accuracy", "malignant_specificity"}


def test_what_divides_nothing_is_left_out():
    predictions = with_samples(
        drawn_predictions(1, 60), dataset=lambda _: "one", dx_type=lambda _: "", sex=lambda _: ""
    )
    kinds = {group.kind for group in measure_subgroups(predictions, SETTINGS, Silent())}
    assert kinds == {"age", "body site"}


def sources(predictions, dataset_of):
    return with_samples(predictions, dataset=dataset_of)


def test_a_source_that_names_the_class_is_found_out():
    here = drawn_predictions(1, 280)
    here = sources(here, lambda row: f"camera {here.labels[row]}")
    found = measure_shortcut(here, here.samples, "multiclass", SETTINGS)
    assert found.n_sources == 7
    assert found.cramers_v == pytest.approx(1, abs=0.02)
    assert found.macro_auroc.value == 1


def test_a_source_that_says_nothing_is_chance():
    here, others = drawn_predictions(1, 600), drawn_predictions(1, 900)
    draw = np.random.default_rng(0).integers(0, 3, 900)
    here = sources(here, lambda row: f"camera {draw[row // 2]}")
    others = sources(others, lambda row: f"camera {draw[-1 - row // 2]}")
    found = measure_shortcut(here, others.samples, "multiclass", SETTINGS)
    assert found.macro_auroc.low < 0.5 < found.macro_auroc.high
    assert found.cramers_v < 0.2


def test_what_was_learnt_is_what_counts():
    """The sources' habits turned round between the parts: the guess is worse than chance."""
    here = drawn_predictions(1, 200, task="binary")
    here = sources(here, lambda row: "a" if here.labels[row] else "b")
    others = sources(drawn_predictions(1, 200), lambda _: "")
    malignant = {info.code for info in DIAGNOSES if info.malignant}
    turned = [
        replace(sample, dataset="b" if sample.dx in malignant else "a") for sample in others.samples
    ]
    assert measure_shortcut(here, turned, "binary", SETTINGS).macro_auroc.value == 0


def test_one_source_or_none_is_no_check():
    one = sources(drawn_predictions(1, 40), lambda _: "vienna")
    assert measure_shortcut(one, one.samples, "multiclass", SETTINGS) is None


def test_an_external_set_has_nothing_to_guess_from():
    here = drawn_predictions(1, 200)
    found = measure_shortcut(here, (), "multiclass", SETTINGS)
    assert found.macro_auroc is None
    assert found.cramers_v is not None

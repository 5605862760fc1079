"""The figures of sets, strange images and withheld answers, counted by hand."""

import numpy as np
import pytest
from bundles import tiny_bundle

from skincli.data import prepare
from skincli.evaluation.abstention import measure_abstention
from skincli.evaluation.scoring import score_rows
from skincli.inference.abstaining import undecided
from skincli.inference.engine import Classifier
from skincli.progress import Silent


def test_figures_are_those_of_the_images(synthetic_config, tmp_path):
    prepared = prepare(synthetic_config, Silent()).prepared
    rows = prepared.rows("test")
    bundle = tiny_bundle(
        tmp_path / "b", thresholds=[0.9] * 7, largest_distance=0.4, weight_scale=5.0
    )
    classifier = Classifier(bundle)
    scored = score_rows(classifier, prepared, rows, 16, Silent())
    found = measure_abstention(scored, classifier, prepared, rows, Silent())

    covered = scored.conformal[np.arange(len(rows)), scored.labels]
    by_lesion: dict[str, list[bool]] = {}
    for sample, inside in zip(scored.samples, covered, strict=True):
        by_lesion.setdefault(sample.lesion_id, []).append(bool(inside))
    shares = [np.mean(images) for images in by_lesion.values()]
    assert found.sets.coverage == pytest.approx(np.mean(shares))
    assert found.sets.lesions == len(by_lesion)
    assert found.sets.size == pytest.approx(scored.conformal.sum() / len(rows))
    melanomas = [s.lesion_id for s in scored.samples if s.dx == "mel"]
    assert found.sets_by_class["mel"].lesions == len(set(melanomas))

    withheld = (scored.novelty > 1) | undecided(scored.conformal, scored.classes)
    assert 0 < found.novel < found.withheld == pytest.approx(withheld.mean())
    answered = (scored.decided == scored.labels)[~withheld]
    assert found.answered_accuracy == pytest.approx(answered.mean())
    # By brightness alone, which is all that this bundle sees: black is far, blur is not.
    assert found.detected["black frame"] == 1
    assert found.detected["heavy blur"] < 1
    assert len(found.detected) == 6


def test_a_class_without_images_has_no_figures(synthetic_config, tmp_path):
    prepared = prepare(synthetic_config, Silent()).prepared
    found = prepared.rows("test")
    rows = found[[prepared.samples[row].dx != "df" for row in found]]
    classifier = Classifier(tiny_bundle(tmp_path / "b"))
    scored = score_rows(classifier, prepared, rows, 16, Silent())
    found = measure_abstention(scored, classifier, prepared, rows, Silent())
    assert found.sets_by_class["df"].coverage is None
    assert found.sets_by_class["df"].lesions == 0

"""The verb `compare` on real evaluations, found again by model or by folder."""

import copy
import json
import shutil

import pytest
from bundles import tiny_bundle
from commands import skincli

from skincli.config.data import PartsConfig
from skincli.config.schema import Config
from skincli.data import prepare
from skincli.errors import DataError, ModelError
from skincli.evaluation.comparing import compare
from skincli.evaluation.evaluate import evaluate
from skincli.evaluation.predictions import read_predictions
from skincli.progress import Silent


@pytest.fixture(scope="module")
def shared(synthetic_config: Config, tmp_path_factory) -> Config:
    config = copy.deepcopy(synthetic_config)
    folder = tmp_path_factory.mktemp("compared")
    config.evaluate.root = str(folder / "evaluations")
    config.evaluate.resamples = 200
    config.data.parts = PartsConfig(train=0.3, validation=0.1, calibration=0.1, test=0.5)
    config.tracking.uri = "none"
    return config


@pytest.fixture(scope="module")
def pair(shared: Config, tmp_path_factory):
    """Two evaluated models: their bundle folders and the evaluations."""
    split = prepare(shared, Silent()).prepared.manifest.split_fingerprint
    folder = tmp_path_factory.mktemp("bundles")
    found = []
    for seed, scale in ((0, 3.0), (2, 6.0)):
        tiny_bundle(folder / str(seed), split_fingerprint=split, seed=seed, weight_scale=scale)
        found.append((str(folder / str(seed)), evaluate(shared, str(folder / str(seed)), Silent())))
    return found


def test_figures_are_those_of_the_two_evaluations(shared, pair):
    (a, first), (b, second) = pair
    result = compare(shared, a, b, Silent())
    assert (result.a, result.b, result.n_images) == (a, b, first.n_images)
    for name in ("balanced_accuracy", "malignant_auroc", "ece"):
        found = result.figures[name]
        assert found.a == pytest.approx(getattr(first.metrics, name))
        assert found.b == pytest.approx(getattr(second.metrics, name))
        assert found.difference.value == pytest.approx(found.a - found.b)
    assert result.figures["per_class.nv.auroc"].a == first.metrics.per_class["nv"].auroc


def test_disagreements_are_the_images_that_are_called_otherwise(shared, pair):
    (a, first), (b, second) = pair
    result = compare(shared, a, b, Silent())
    one, other = (read_predictions(each.folder / "predictions.csv") for each in (first, second))
    differ = (one.decided != other.decided) | (one.flagged != other.flagged)
    expected = {one.samples[row].image_id for row in differ.nonzero()[0]}
    assert {each.image_id for each in result.disagreements} == expected
    malignancy = [each.a_malignant != each.b_malignant for each in result.disagreements]
    assert malignancy == sorted(malignancy, reverse=True)
    assert 0 < sum(malignancy) < len(malignancy)


def test_folders_of_evaluations_are_models_too(shared, pair):
    (a, first), (_, second) = pair
    by_folder = compare(shared, str(first.folder), str(second.folder), Silent())
    assert by_folder.figures == compare(shared, a, pair[1][0], Silent()).figures


def test_another_split_is_refused(shared, pair, tmp_path):
    config = copy.deepcopy(shared)
    config.evaluate.root = str(tmp_path)
    config.data.parts.seed = 410
    elsewhere = evaluate(config, pair[1][0], Silent())
    with pytest.raises(ModelError, match="not evaluated on the same images") as caught:
        compare(shared, pair[0][0], str(elsewhere.folder), Silent())
    assert "split" in caught.value.message
    assert caught.value.hint == "`skincli evaluate` both with the same settings"


def test_the_same_images_of_another_split_are_refused_too(shared, pair, tmp_path):
    (a, first), _ = pair
    copied = tmp_path / "copied"
    shutil.copytree(first.folder, copied)
    record = json.loads((copied / "evaluation.json").read_text())
    (copied / "evaluation.json").write_text(json.dumps(record | {"split_fingerprint": "f" * 64}))
    with pytest.raises(ModelError, match="split ffffffffffff"):
        compare(shared, a, str(copied), Silent())


def test_a_model_that_was_not_evaluated_is_named(shared, pair, tmp_path):
    tiny_bundle(tmp_path / "new", seed=5)
    with pytest.raises(ModelError, match="was not evaluated") as caught:
        compare(shared, pair[0][0], str(tmp_path / "new"), Silent())
    assert caught.value.hint == f"`skincli evaluate {tmp_path / 'new'}` first"


@pytest.mark.parametrize(
    ("file", "content", "error", "message"),
    [
        ("evaluation.json", "{", ModelError, "cannot be read"),
        ("evaluation.json", '{"schema_version": 1}', ModelError, "schema version 1, and 2"),
        ("predictions.csv", "image_id\n", DataError, "is not as `skincli evaluate` writes it"),
    ],
)
def test_a_damaged_evaluation_is_said_so(shared, pair, tmp_path, file, content, error, message):
    (a, first), _ = pair
    shutil.copytree(first.folder, tmp_path / "bad")
    (tmp_path / "bad" / file).write_text(content)
    with pytest.raises(error, match=message):
        compare(shared, a, str(tmp_path / "bad"), Silent())


def test_the_command(pair, tmp_path):
    (_, first), (_, second) = pair
    words = "compare", str(first.folder), str(second.folder), "evaluate.resamples=100"
    done = skincli(tmp_path, *words)
    assert "A minus B (95 % interval)" in done.out
    assert "macro AUROC" in done.out
    assert "McNemar's test" in done.out
    assert "not a medical result" in done.out
    data = skincli(tmp_path, *words, "--json").data
    assert (
        data["figures"]["ece"]["difference"]["low"] <= data["figures"]["ece"]["difference"]["high"]
    )
    none = skincli(tmp_path, "compare", code=2)
    assert "give one or two models, A and B: got 0" in none.err
    assert list(tmp_path.iterdir()) == []

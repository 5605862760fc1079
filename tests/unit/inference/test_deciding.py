"""The diagnosis is the class of the largest weighted probability, whoever gives it."""

import copy
import csv

import numpy as np
import pytest
from bundles import tiny_bundle
from PIL import Image

from skincli.config.schema import Config
from skincli.data import prepare
from skincli.evaluation.evaluate import evaluate
from skincli.inference.engine import Classifier, decide
from skincli.prediction.predict import predict
from skincli.progress import Silent
from skincli.serving.fixed import load_model
from skincli.taxonomy import classes_of


def only(code):
    return [1.0 if info.code == code else 0.0 for info in classes_of("multiclass")]


def test_even_weights_decide_for_the_most_probable_class_and_the_first_wins_a_tie():
    probabilities = np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]], dtype=np.float32)
    assert decide(probabilities, [1, 1, 1]).tolist() == [1, 0]
    assert decide(probabilities, [0, 0, 1]).tolist() == [2, 2]


def test_weights_of_one_over_the_frequency_are_bayes_rule_for_balanced_accuracy():
    """No other weights decide better on a world whose probabilities are known."""
    rng = np.random.default_rng(0)
    frequency = np.array([0.9, 0.08, 0.02])
    seen = rng.dirichlet([1, 1, 1], size=400) * frequency  # likelihoods of 400 kinds of images
    probabilities = (seen / seen.sum(axis=1, keepdims=True)).astype(np.float32)
    share = seen / seen.sum(axis=0)  # of each kind among the images of a class

    def balanced_accuracy(weights):
        decided = decide(probabilities, weights)
        return np.mean([share[decided == label, label].sum() for label in range(3)])

    best = balanced_accuracy(1 / frequency)
    others = [balanced_accuracy(rng.random(3)) for _ in range(300)]
    assert max(others) <= best + 1e-6
    assert balanced_accuracy([1, 1, 1]) < best - 0.1


@pytest.fixture
def bundle(tmp_path):
    return tiny_bundle(tmp_path / "bundle", decision_weights=only("mel"))


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_predictions_and_answers_are_weighted_and_their_probabilities_are_not(
    bundle, photo, tmp_path
):
    plain = tiny_bundle(tmp_path / "plain")
    [row] = predict(Config(), [photo], str(bundle.folder), Silent(), None).rows
    [other] = predict(Config(), [photo], str(plain.folder), Silent(), None).rows
    assert (row.code, other.code) == ("mel", max(other.probabilities, key=other.probabilities.get))
    assert other.code != "mel"
    assert row.probabilities == other.probabilities
    assert row.probability == row.probabilities["mel"]
    assert row.malignant == other.malignant


def test_the_server_decides_by_the_weights_too(bundle, photo):
    config = Config()
    config.serve.model = str(bundle.folder)
    scores = Classifier(bundle).score(np.zeros((1, 32, 32, 3), dtype=np.uint8))
    model = load_model(config)
    found = model._told(scores, 0)
    assert found["diagnosis"].code == "mel"


def test_an_evaluation_measures_the_weighted_decisions(synthetic_config, tmp_path):
    config = copy.deepcopy(synthetic_config)
    config.evaluate.root = str(tmp_path / "evaluations")
    config.tracking.uri = f"sqlite:///{tmp_path}/mlflow.db"
    split = prepare(config, Silent()).prepared.manifest.split_fingerprint
    bundle = tiny_bundle(tmp_path / "bundle", split_fingerprint=split, decision_weights=only("nv"))
    result = evaluate(config, str(bundle.folder), Silent())
    assert result.metrics.per_class["nv"].sensitivity == 1
    present = [m for m in result.metrics.per_class.values() if m.n]
    assert result.metrics.balanced_accuracy == pytest.approx(1 / len(present))
    with (result.folder / "predictions.csv").open(newline="") as stream:
        assert {row["predicted"] for row in csv.DictReader(stream)} == {"nv"}

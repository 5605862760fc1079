import copy
import csv
import json
import shutil
from dataclasses import asdict, replace

import numpy as np
import pytest
from bundles import OPERATING_POINT, tiny_bundle
from data_sets import keep_rows, raw_of
from PIL import Image

from skincli.config.schema import Config
from skincli.data import PreparedSet, fetch, prepare
from skincli.errors import DataError, ModelError, SkincliError
from skincli.evaluation.evaluate import EvaluationResult, evaluate
from skincli.inference.engine import Classifier
from skincli.progress import Silent
from skincli.taxonomy import label_of

FILES = {
    "evaluation.json",
    "metrics.json",
    "predictions.csv",
    "report.html",
    "report.md",
    "confusion_matrix.png",
    "roc.png",
    "precision_recall.png",
    "reliability.png",
    "subgroups.png",
}


@pytest.fixture
def config(synthetic_config: Config, tmp_path) -> Config:
    config = copy.deepcopy(synthetic_config)
    config.evaluate.root = str(tmp_path / "evaluations")
    config.evaluate.resamples = 100
    config.tracking.uri = f"sqlite:///{tmp_path}/mlflow.db"
    return config


@pytest.fixture
def prepared(config: Config) -> PreparedSet:
    return prepare(config, Silent()).prepared


@pytest.fixture
def bundle(prepared: PreparedSet, tmp_path):
    return tiny_bundle(tmp_path / "bundle", split_fingerprint=prepared.manifest.split_fingerprint)


def run(config, bundle, external=False) -> EvaluationResult:
    return evaluate(config, str(bundle.folder), Silent(), external)


def rows_of(result):
    with (result.folder / "predictions.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_test_part_and_nothing_else_is_scored(config, prepared, bundle):
    result = run(config, bundle)
    test = [sample for sample in prepared.samples if sample.part == "test"]
    assert [row["image_id"] for row in rows_of(result)] == [s.image_id for s in test]
    assert result.n_images == result.metrics.n == len(test)
    assert result.n_lesions == len({sample.lesion_id for sample in test})
    assert (result.part, result.data_name, result.synthetic) == ("test", "synthetic", True)
    assert result.published is False


@pytest.mark.parametrize("task", ["multiclass", "binary"])
def test_figures_and_rows_are_those_of_the_bundle(config, prepared, tmp_path, task):
    bundle = tiny_bundle(
        tmp_path / task, task, split_fingerprint=prepared.manifest.split_fingerprint
    )
    config.inference.batch_size = 5
    result = run(config, bundle)
    rows = prepared.rows("test")
    scores = Classifier(bundle).score(prepared.images[rows])
    labels = [label_of(prepared.samples[row].dx, task) for row in rows]
    predicted = scores.probabilities.argmax(axis=1)
    assert result.metrics.accuracy == np.mean(predicted == labels)
    codes = [info.code for info in bundle.spec.classes]
    for row, label, p, m in zip(
        rows_of(result), labels, scores.probabilities, scores.malignant, strict=True
    ):
        assert [float(row[f"p_{code}"]) for code in codes] == pytest.approx(p, abs=1e-5)
        assert row["predicted"] == codes[p.argmax()]
        assert row["correct"] == str(int(p.argmax() == label))
        assert float(row["malignant"]) == pytest.approx(m, abs=1e-5)
        assert row["malignant_decision"] == str(int(float(row["malignant"]) >= OPERATING_POINT))


def test_the_record_says_which_model_met_which_data(config, prepared, bundle):
    result = run(config, bundle)
    record = json.loads((result.folder / "evaluation.json").read_text())
    manifest = prepared.manifest
    assert {path.name for path in result.folder.iterdir()} == FILES
    assert result.folder.name == (
        f"{bundle.digest[:12]}-synthetic-{manifest.test_fingerprint[:12]}"
    )
    assert record["bundle_digest"] == bundle.digest
    for name in ("test_fingerprint", "split_fingerprint", "dataset_fingerprint", "synthetic"):
        assert record[name] == getattr(manifest, name)
    expected = json.loads(json.dumps(asdict(result.metrics)))
    assert record["metrics"] == expected
    assert json.loads((result.folder / "metrics.json").read_text()) == expected
    assert record["part"] == "test"
    with Image.open(result.folder / "roc.png") as figure:
        assert figure.format == "PNG"


def test_again_replaces_the_folder_and_leaves_nothing_beside_it(config, bundle):
    first = run(config, bundle)
    (first.folder / "stale.txt").write_text("from an older version")
    (first.folder / "metrics.json").write_text("damaged")
    second = run(config, bundle)
    assert second.folder == first.folder
    assert {path.name for path in second.folder.iterdir()} == FILES
    assert json.loads((second.folder / "metrics.json").read_text())["n"] == second.n_images
    assert list(second.folder.parent.iterdir()) == [second.folder]


def test_interrupted_work_leaves_the_old_folder_and_nothing_else(config, bundle, monkeypatch):
    first = run(config, bundle)
    before = (first.folder / "metrics.json").read_bytes()

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(config, bundle)
    assert list(first.folder.parent.iterdir()) == [first.folder]
    assert (first.folder / "metrics.json").read_bytes() == before


def test_the_images_are_prepared_as_the_model_saw_them(config, prepared, tmp_path):
    bundle = tiny_bundle(
        tmp_path / "larger",
        image_size=48,
        crop="whole",
        split_fingerprint=prepared.manifest.split_fingerprint,
    )
    before = replace(config.data)
    run(config, bundle)
    assert config.data == before
    config.data.image_size, config.data.crop = 48, "whole"
    assert prepare(config, Silent()).created is False


def test_a_model_of_another_data_set_is_refused_before_any_image_is_read(config, tmp_path):
    bundle = tiny_bundle(tmp_path / "other", data_name="ham10000")
    config.data.root = str(tmp_path / "nothing was fetched here")
    with pytest.raises(ModelError, match=r"trained on `ham10000`.*names `synthetic`") as caught:
        run(config, bundle)
    assert "data=ham10000" in caught.value.hint


def trained_on(prepared, folder):
    """A bundle that says what it was trained on: all but the test part."""
    seen = [sample for sample in prepared.samples if sample.part != "test"]
    return tiny_bundle(
        folder,
        split_fingerprint=prepared.manifest.split_fingerprint,
        files=[sample.sha256 for sample in seen],
        lesions=[prepared.manifest.lesion_key(sample.lesion_id) for sample in seen],
    )


def test_a_split_that_would_test_on_training_images_is_refused(config, tmp_path):
    bundle = trained_on(prepare(config, Silent()).prepared, tmp_path / "seen")
    run(config, bundle)
    config.data.parts.seed = 1
    with pytest.raises(ModelError, match=r"tests it on \d+ images and \d+ lesions of that"):
        run(config, bundle)


def test_a_split_that_has_grown_since_is_measured_on_its_new_test_part(config, tmp_path):
    whole = raw_of(config)
    config.data.root = str(tmp_path / "grown")
    shutil.copytree(whole, raw_of(config))
    keep_rows(config, 0.6)
    bundle = trained_on(prepare(config, Silent()).prepared, tmp_path / "seen")
    few = run(config, bundle).n_images
    shutil.rmtree(raw_of(config))
    shutil.copytree(whole, raw_of(config))
    result = run(config, bundle)
    assert few < result.n_images == len(prepare(config, Silent()).prepared.rows("test"))


@pytest.fixture
def clinic(config: Config, tmp_path) -> Config:
    """Another set under its own name: other lesions, other images."""
    data = replace(config.data, name="clinic", root=str(tmp_path / "data"))
    data.synthetic = replace(data.synthetic, lesions=70, seed=11)
    elsewhere = replace(config, data=data)
    fetch(elsewhere, Silent())
    return elsewhere


def test_an_external_set_is_scored_as_a_whole(clinic, bundle):
    result = run(clinic, bundle, external=True)
    theirs = prepare(clinic, Silent()).prepared
    assert result.n_images == theirs.manifest.n_images
    assert result.n_lesions == 70
    assert (result.part, result.data_name) == ("external", "clinic")
    assert result.folder.name.endswith(f"-clinic-{theirs.manifest.dataset_fingerprint[:12]}")
    assert json.loads((result.folder / "evaluation.json").read_text())["part"] == "external"


def test_an_external_set_that_was_learnt_from_is_refused(clinic, config, tmp_path):
    theirs = prepare(clinic, Silent()).prepared.samples[0]
    knows_file = tiny_bundle(tmp_path / "file", files=[theirs.sha256])
    knows_lesion = tiny_bundle(tmp_path / "lesion", lesions=[f"clinic:{theirs.lesion_id}"])
    same_id_elsewhere = tiny_bundle(tmp_path / "id", lesions=[f"synthetic:{theirs.lesion_id}"])
    with pytest.raises(DataError, match="1 images and 0 lesions"):
        run(clinic, knows_file, external=True)
    with pytest.raises(DataError, match="0 images and 1 lesions"):
        run(clinic, knows_lesion, external=True)
    assert run(clinic, same_id_elsewhere, external=True).n_images > 0


def test_a_root_that_cannot_be_written_is_said_so(config, bundle, tmp_path):
    (tmp_path / "file").write_text("")
    config.evaluate.root = str(tmp_path / "file")
    with pytest.raises(SkincliError, match="cannot be written") as caught:
        run(config, bundle)
    assert "evaluate.root" in caught.value.hint

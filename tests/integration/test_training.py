"""Training for real, on small drawn images: what it leaves behind, and what it refuses."""

import copy
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from trainings import accuracy_before_calibration, saved, small

from skincli.bundle import open_bundle, overlap
from skincli.data import fetch, prepare
from skincli.errors import ConfigError, Interrupted, UsageError
from skincli.evaluation.evaluate import evaluate
from skincli.inference.engine import Classifier
from skincli.progress import Silent
from skincli.tracking.run_folder import RunFolder
from skincli.tracking.store import connect
from skincli.training.resume import find_run_cut_off
from skincli.training.train import train

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("task", ["multiclass", "binary"])
def test_a_run_leaves_a_sealed_bundle_and_everything_in_mlflow(config, task):
    config = small(config)
    config.task = task
    result = train(config, Silent())
    assert (result.epochs, result.synthetic) == (3, True)
    bundle = open_bundle(result.folder / "bundle")
    prepared = prepare(config, Silent()).prepared
    assert bundle.spec.task == task
    assert bundle.spec.export_difference <= config.export.tolerance
    assert bundle.spec.lineage.split_fingerprint == prepared.manifest.split_fingerprint

    learned = prepared.labels(task)[prepared.rows("train")]
    # Power 1: all classes count the same in the choice of the diagnosis.
    counted = np.bincount(learned) * bundle.spec.decision_weights
    assert counted == pytest.approx(np.full(len(counted), len(learned) / len(counted)))

    rows = prepared.rows("calibration")
    malignant = Classifier(bundle).score(prepared.images[rows]).malignant
    truth = np.array([prepared.samples[r].dx in ("akiec", "bcc", "mel") for r in rows])
    flagged = malignant >= bundle.spec.operating_point
    assert flagged[truth].mean() >= 0.95

    test = [s for s in prepared.samples if s.part == "test"]
    rest = [s for s in prepared.samples if s.part != "test"]
    assert overlap(bundle, "files", [s.sha256 for s in test]) == 0
    assert overlap(bundle, "files", [s.sha256 for s in rest]) == len({s.sha256 for s in rest})

    client = connect(config.tracking)
    run = client.get_run(result.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["model.width"] == "8"
    assert run.data.tags["skincli.synthetic"] == "true"
    history = client.get_metric_history(result.run_id, "validation_balanced_accuracy")
    assert [point.step for point in history] == [0, 1, 2]
    # Validated, kept and exported weights are one and the same, and those that learned are others.
    validated = [point.value for point in history]
    assert result.balanced_accuracy == validated[result.best_epoch - 1] == max(validated)
    again = accuracy_before_calibration(bundle, prepared)
    assert result.balanced_accuracy == pytest.approx(again)
    best = saved(RunFolder(result.folder), "best.ckpt")
    head, learning = (best[k]["network.head.weight"] for k in ("state_dict", "current_model_state"))
    assert not head.equal(learning)
    names = {item.path for item in client.list_artifacts(result.run_id)}
    assert {"config.yaml", "environment.json", "curves.png", "metrics.csv"} <= names
    with Image.open(result.folder / "curves.png") as curves:
        assert curves.width > 500
    metrics = evaluate(config, result.run_id, Silent()).metrics
    assert metrics.n == len(test)


def test_an_error_ends_the_run_as_failed_and_says_why_in_its_folder(config, tmp_path):
    config = small(config)
    config.export.tolerance = 0.0
    config.trainer.max_epochs = 1
    with pytest.raises(Exception, match="differs"):
        train(config, Silent())
    [folder] = (tmp_path / "runs").iterdir()
    state = RunFolder(folder).state()
    assert state.status == "FAILED"
    assert "differs" in (folder / "failure.txt").read_text()
    assert connect(config.tracking).get_run(state.run_id).info.status == "FAILED"
    assert not (folder / "bundle").exists()


def test_a_probed_head_is_a_run_like_any_other(config):
    config = small(config)
    config.train.mode = "probe"
    result = train(config, Silent())
    assert (result.epochs, result.best_epoch) == (1, 1)
    assert open_bundle(result.folder / "bundle").digest == result.bundle.digest
    run = connect(config.tracking).get_run(result.run_id)
    assert run.info.status == RunFolder(result.folder).state().status == "FINISHED"
    [row] = RunFolder(result.folder).read_metrics()
    assert row["validation_balanced_accuracy"] == pytest.approx(result.balanced_accuracy)
    again = accuracy_before_calibration(result.bundle, prepare(config, Silent()).prepared)
    assert result.balanced_accuracy == pytest.approx(again)
    assert run.data.metrics == pytest.approx({k: v for k, v in row.items() if k != "epoch"})
    names = {item.path for item in connect(config.tracking).list_artifacts(result.run_id)}
    assert {"config.yaml", "curves.png", "metrics.csv", "classes.csv"} <= names


def interrupt(config, monkeypatch, at):
    """Train until a part of it, and interrupt that; returns the run's folder."""

    def raise_interrupted(*_, **__):
        raise Interrupted(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(f"skincli.training.train.{at}", raise_interrupted)
        with pytest.raises(Interrupted):
            train(config, Silent())
    return RunFolder(max(Path(config.run.root).iterdir()))


@pytest.fixture
def cut_off(config, monkeypatch):
    """The config of a run that was interrupted once it had trained."""
    config = small(config)
    interrupt(config, monkeypatch, "seal_bundle")
    return config


def test_a_run_without_a_checkpoint_begins_again_as_itself_unless_another_has_one(
    cut_off, monkeypatch
):
    second = interrupt(cut_off, monkeypatch, "fit").state()
    first = train(cut_off, Silent(), resume=True)
    assert first.run_id != second.run_id
    assert train(cut_off, Silent(), resume=True).run_id == second.run_id
    assert connect(cut_off.tracking).get_run(second.run_id).info.status == "FINISHED"


def test_a_job_goes_on_with_what_was_cut_off_or_begins(cut_off, monkeypatch):
    cut = RunFolder(next(Path(cut_off.run.root).iterdir()))
    split = cut.state().split_fingerprint
    assert find_run_cut_off(cut_off, split) == cut
    assert find_run_cut_off(cut_off, "another split") is None
    changed = copy.deepcopy(cut_off)
    changed.model.width = 16
    assert find_run_cut_off(changed, split) is None
    with monkeypatch.context() as patch:
        patch.setattr("skincli.training.resume.git_commit", lambda: "another")
        assert find_run_cut_off(cut_off, split) is None
    cut_off.trainer.max_epochs = 1
    begun = train(cut_off, Silent(), resume=True, if_any=True)
    assert begun.folder != cut.path
    cut_off.trainer.max_epochs = 3
    assert train(cut_off, Silent(), resume=True, if_any=True).folder == cut.path


def refuse(config, reason):
    with pytest.raises(ConfigError, match=reason) as caught:
        train(config, Silent(), resume=True)
    assert "cannot go on" in caught.value.message


def test_a_run_goes_on_with_neither_another_model_nor_other_data(cut_off, monkeypatch):
    changed = copy.deepcopy(cut_off)
    changed.model.width = 16
    refuse(changed, "model.width was 8 and is 16")
    changed = copy.deepcopy(cut_off)
    changed.data.synthetic.lesions, changed.data.root = 130, f"{cut_off.data.root}-grown"
    fetch(changed, Silent())
    refuse(changed, "data.synthetic.lesions was 120 and is 130")
    # The same settings, and other data behind them.
    monkeypatch.setattr("skincli.training.resume._FREE_SECTIONS", ("data.",))
    refuse(changed, "its data have changed")


def test_epochs_that_were_trained_are_not_taken_back(cut_off):
    cut_off.trainer.max_epochs = 2
    refuse(cut_off, "it has 3 epochs already")
    cut_off.trainer.max_epochs = 4
    assert train(cut_off, Silent(), resume=True).epochs == 4


def test_there_must_be_something_to_resume(config):
    with pytest.raises(UsageError, match="no unfinished run"):
        train(small(config), Silent(), resume=True)


def test_what_cannot_be_trained_is_refused_before_any_work(config, tmp_path):
    config = small(config)
    config.model.pretrained = True
    with pytest.raises(ConfigError, match="no pretrained weights"):
        train(config, Silent())
    config.model.pretrained, config.model.backbone = False, "resnet81"
    with pytest.raises(ConfigError, match="not supported"):
        train(config, Silent())
    assert not (tmp_path / "runs").exists()


@pytest.mark.gpu
def test_a_run_on_the_gpu_gives_a_bundle_that_says_the_same(config):
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    config = small(config)
    config.trainer.accelerator = "cuda"
    result = train(config, Silent())
    assert result.device == "cuda"
    assert result.bundle.spec.export_difference <= config.export.tolerance

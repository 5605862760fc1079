"""Training for real, on small drawn images: what it leaves behind, and what survives a signal."""

import copy
import json
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from commands import skincli, spawn
from PIL import Image

from skincli.bundle import open_bundle, overlap
from skincli.config.load import to_yaml
from skincli.config.schema import Config
from skincli.data import fetch, prepare
from skincli.errors import ConfigError, Interrupted, SkincliError, UsageError
from skincli.evaluation.evaluate import evaluate
from skincli.inference.engine import Classifier
from skincli.progress import Silent
from skincli.tracking.run_folder import RunFolder
from skincli.tracking.runs import recorded_run
from skincli.tracking.store import connect
from skincli.training.train import train


def small(config: Config) -> Config:
    config = copy.deepcopy(config)
    config.model.backbone = "small_resnet"
    config.model.pretrained = False
    config.model.width = 8
    config.trainer.accelerator = "cpu"
    config.trainer.max_epochs = 3
    config.optimizer.lr = 0.003
    return config


def losses(folder: Path) -> list[float]:
    return [row["train_loss"] for row in RunFolder(folder).read_metrics()]


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
    names = {item.path for item in client.list_artifacts(result.run_id)}
    assert {"config.yaml", "environment.json", "curves.png", "metrics.csv"} <= names
    with Image.open(result.folder / "curves.png") as curves:
        assert curves.width > 500
    metrics = evaluate(config, result.run_id, Silent()).metrics
    assert metrics.n == len(test)


def test_same_seed_same_model_and_another_seed_another(config):
    config = small(config)
    config.trainer.max_epochs = 1
    weights = [train(config, Silent()).bundle.model.read_bytes() for _ in range(2)]
    assert weights[0] == weights[1]
    config.seed = 1
    assert train(config, Silent()).bundle.model.read_bytes() != weights[0]


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


@pytest.fixture
def project(config, tmp_path) -> Path:
    """A working folder whose skincli.yaml holds a run long enough to be cut off."""
    config = small(config)
    config.trainer.max_epochs = 40
    config.trainer.patience = 40
    (tmp_path / "skincli.yaml").write_text(to_yaml(config))
    return tmp_path


def cut_off(project: Path, number: int, *words: str) -> tuple[int, Path]:
    """Start training, send a signal after the second epoch, and wait."""
    process = spawn(project, "train", *words)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        folders = sorted((project / "runs").glob("*/metrics.csv"), reverse=True)
        if folders and len(folders[0].read_text().splitlines()) > 2:
            break
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.send_signal(number)
    process.communicate(timeout=60)
    return process.returncode, folders[0].parent


def status_of(config, run_id):
    return connect(config.tracking).get_run(run_id).info.status


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_is_killed_and_goes_on_as_if_nothing_had_been(
    project, config, number, code
):
    found, folder = cut_off(project, number)
    assert found == code
    state = RunFolder(folder).state()
    assert state.status == "KILLED"
    assert status_of(config, state.run_id) == "KILLED"
    if number == signal.SIGINT:
        return  # the way on is the same for both, and takes its time
    done = skincli(project, "train", "--resume", "trainer.max_epochs=6", "--json")
    assert done.data["run_id"] == state.run_id
    assert status_of(config, state.run_id) == "FINISHED"
    assert [row["epoch"] for row in RunFolder(folder).read_metrics()] == list(range(6))


def test_a_run_that_was_killed_outright_is_ended_at_the_next_start_and_can_go_on(project, config):
    code, folder = cut_off(project, signal.SIGKILL)
    assert code == -signal.SIGKILL
    state = RunFolder(folder).state()
    assert state.status == "RUNNING"
    assert status_of(config, state.run_id) == "RUNNING"
    with recorded_run(config, "another", "", None, Silent()):
        pass
    assert status_of(config, state.run_id) == "KILLED"
    done = skincli(project, "train", "--resume", "trainer.max_epochs=5", "--json")
    assert done.data["run_id"] == state.run_id
    assert json.loads((folder / "run.json").read_text())["status"] == "FINISHED"


def test_a_resumed_run_repeats_what_an_uninterrupted_one_does(config, monkeypatch):
    config = small(config)
    whole = train(config, Silent())

    from skincli.training import callbacks

    original = callbacks.EpochReport.on_train_epoch_start

    def cut(self, trainer, module):
        if trainer.current_epoch == 2:
            raise KeyboardInterrupt
        original(self, trainer, module)

    with monkeypatch.context() as patch:
        patch.setattr(callbacks.EpochReport, "on_train_epoch_start", cut)
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            train(config, Silent())
    resumed = train(config, Silent(), resume=True)
    assert losses(resumed.folder) == pytest.approx(losses(whole.folder), abs=1e-6)
    assert resumed.folder != whole.folder


def test_a_run_does_not_go_on_over_another_split(config, monkeypatch):
    config = small(config)
    monkeypatch.setattr("skincli.training.train._finish", _interrupt)
    with pytest.raises(Interrupted):
        train(config, Silent())
    elsewhere = copy.deepcopy(config)
    elsewhere.data.name, elsewhere.data.root = "synthetic", f"{config.data.root}-grown"
    elsewhere.data.synthetic.lesions = 130
    fetch(elsewhere, Silent())
    config.data.synthetic.lesions, config.data.root = 130, elsewhere.data.root
    with pytest.raises(ConfigError, match="lesions was 120 and is 130"):
        train(config, Silent(), resume=True)
    monkeypatch.setattr("skincli.training.resume._FREE_SECTIONS", ("data.",))
    with pytest.raises(ConfigError, match="its data have changed"):
        train(config, Silent(), resume=True)


def _interrupt(*_):
    raise Interrupted(signal.SIGINT)


def test_a_finished_run_length_is_not_undercut_on_resume(config, monkeypatch):
    config = small(config)
    with monkeypatch.context() as patch:
        patch.setattr("skincli.training.train._finish", _interrupt)
        with pytest.raises(Interrupted):
            train(config, Silent())
    config.trainer.max_epochs = 2
    with pytest.raises(ConfigError, match="has 3 epochs already"):
        train(config, Silent(), resume=True)
    config.trainer.max_epochs = 3
    assert train(config, Silent(), resume=True).epochs == 3


def test_a_loss_that_is_no_number_is_said_so(config):
    config = small(config)
    config.optimizer.lr = 1e30
    with pytest.raises(SkincliError, match="not a finite number") as caught:
        train(config, Silent())
    assert "optimizer.lr" in caught.value.hint


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
    assert result.device == "cuda:0"
    assert result.bundle.spec.export_difference <= config.export.tolerance

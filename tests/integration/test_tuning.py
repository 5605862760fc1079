"""A search with real trainings: ordinary runs below one of its own, an experiment at the end."""

import copy
import csv
import signal
import sys
from pathlib import Path

import pytest
from commands import skincli
from optuna.pruners import BasePruner
from PIL import Image

from skincli.bundle import open_bundle
from skincli.config.load import load_config
from skincli.config.schema import Config
from skincli.errors import ConfigError, Interrupted, UsageError
from skincli.progress import Silent
from skincli.tracking.run_folder import RunFolder
from skincli.tracking.store import connect
from skincli.training.train import train
from skincli.tuning.search import Kept, OnEpoch
from skincli.tuning.tune import tune


class _EndsTheSecond(BasePruner):
    def prune(self, study, trial):
        return trial.number == 1


@pytest.fixture
def searching(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Two trials of two epochs of a tiny network, in a working folder of their own."""
    monkeypatch.chdir(tmp_path)
    config = copy.deepcopy(config)
    config.model.backbone, config.model.pretrained = "small_resnet", False
    config.trainer.accelerator, config.trainer.max_epochs = "cpu", 2
    config.tune.study, config.tune.trials = "small", 2
    config.tune.ranges = ["optimizer.lr log 1e-3 1e-2", "model.width 4 8"]
    return config


def run_of(config: Config, name: str):
    client = connect(config.tracking)
    experiment = client.get_experiment_by_name(config.tracking.experiment)
    [run] = client.search_runs([experiment.experiment_id], f"attributes.run_name = '{name}'")
    return run


def test_a_search_leaves_child_runs_and_an_experiment_that_composes(searching, monkeypatch):
    monkeypatch.setattr("skincli.tuning.opening._pruner", lambda _: _EndsTheSecond())
    result = tune(searching, Silent())
    assert [trial.state for trial in result.trials] == ["complete", "pruned"]
    assert result.trials[1].epochs == 1
    assert (result.caution, result.synthetic) == ("", True)

    parent = run_of(searching, "tune-small")
    assert (parent.info.run_id, parent.info.status) == (result.run_id, "FINISHED")
    assert parent.data.params["tune.ranges"] == str(searching.tune.ranges)
    assert parent.data.tags["best.trial"] == str(result.best.number)
    assert parent.data.tags["best.model.width"] == str(result.best.values["model.width"])
    assert parent.data.metrics["best_validation_macro_auroc"] == pytest.approx(result.best.value)
    for number, status in enumerate(["FINISHED", "KILLED"]):
        child = run_of(searching, f"tune-small-{number:04d}")
        assert child.info.status == status
        assert child.data.tags["mlflow.parentRunId"] == result.run_id
        drawn = result.trials[number].values
        assert {key: child.data.params[key] for key in drawn} == {
            key: str(value) for key, value in drawn.items()
        }

    kept = run_of(searching, f"tune-small-{result.best.number:04d}")
    assert kept.info.run_id == result.best.run_id
    [folder] = Path("runs").glob(f"*-tune-small-{result.best.number:04d}-*")
    rows = RunFolder(folder).read_metrics()
    assert result.best.value in [row["validation_macro_auroc"] for row in rows]
    assert (
        open_bundle(folder / "bundle").spec.lineage.config["model"]["width"]
        == (result.best.values["model.width"])
    )

    with (result.folder / "trials.csv").open(newline="") as stream:
        assert [row["state"] for row in csv.DictReader(stream)] == ["complete", "pruned"]
    with Image.open(result.folder / "search.png") as picture:
        assert picture.width > 500
    assert result.output == Path("configs/experiment/small.yaml").absolute()
    composed = load_config(["experiment=small"], environ={}).config
    assert composed.optimizer.lr == result.best.values["optimizer.lr"]
    assert composed.model.width == result.best.values["model.width"]
    assert composed.trainer.max_epochs == 2

    again = tune(searching, Silent())
    assert (again.run_id, again.folder, again.trials) == (
        result.run_id,
        result.folder,
        result.trials,
    )


def test_a_probe_can_be_searched_for_what_it_depends_on(searching):
    searching.train.mode = "probe"
    with pytest.raises(ConfigError, match=r"`optimizer\.lr` changes nothing with train.mode=probe"):
        tune(searching, Silent())
    searching.tracking.uri = "none"
    searching.tune.ranges, searching.tune.trials = ["model.width 4 8"], 1
    [trial] = tune(searching, Silent()).trials
    assert (trial.state, trial.epochs) == ("complete", 1)
    [folder] = Path("runs").glob("*-tune-small-0000-*")
    [row] = RunFolder(folder).read_metrics()
    assert row["validation_macro_auroc"] == trial.value
    assert open_bundle(folder / "bundle").spec.lineage.run_id == trial.run_id
    assert load_config(["experiment=small"], environ={}).config.train.mode == "probe"


def test_what_a_search_left_unfinished_is_not_for_train_to_go_on_with(searching, monkeypatch):
    def interrupt(*_):
        raise Interrupted(signal.SIGINT)

    searching.tracking.uri = "none"
    with monkeypatch.context() as patch:
        patch.setattr("skincli.tuning.tune.search", interrupt)
        with pytest.raises(Interrupted):
            tune(searching, Silent())
    [path] = Path("runs").iterdir()
    assert RunFolder(path).state().status == "KILLED"
    with pytest.raises(UsageError, match="no unfinished run"):
        train(searching, Silent(), resume=True)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials that take no time."""

    def pretend(config: Config, on_epoch: OnEpoch) -> Kept:
        on_epoch(0, {config.tune.metric: 0.5})
        return Kept("a run", 0)

    monkeypatch.setattr("skincli.tuning.tune._attempt", lambda *_: pretend)


def test_without_a_store_a_search_leaves_its_folder(searching, at_once):
    searching.tracking.uri = "none"
    result = tune(searching, Silent())
    state = RunFolder(result.folder).state()
    assert (state.run_id, state.name, state.status) == (result.run_id, "tune-small", "FINISHED")
    names = {path.name for path in result.folder.iterdir()}
    assert {"trials.csv", "search.png", "best.yaml", "config.yaml"} <= names
    assert (result.folder / "best.yaml").read_text() == result.output.read_text()
    assert tune(searching, Silent()).run_id == result.run_id


def test_a_study_does_not_go_on_over_another_split(searching, at_once):
    assert len(tune(searching, Silent()).trials) == 2
    searching.data.parts.seed = 410
    with pytest.raises(ConfigError, match=r"data.parts.seed was 409 and is 410; the split was"):
        tune(searching, Silent())


def test_what_cannot_be_searched_is_refused_before_any_work(searching, monkeypatch, tmp_path):
    before = sorted(tmp_path.rglob("*"))

    def refused(message: str, error: type[UsageError] = ConfigError) -> None:
        with pytest.raises(error, match=message):
            tune(searching, Silent())

    searching.trainer.devices = 2
    refused("a trial is one process")
    searching.trainer.devices = 1
    storage, searching.tune.storage = searching.tune.storage, searching.tracking.uri
    refused("name one file")
    searching.tune.storage = storage
    ranges = searching.tune.ranges
    searching.tune.ranges = [*ranges, "model.backbone one of small_resnet resnet81"]
    refused("`model.backbone=resnet81` is not supported")
    searching.tune.ranges = ranges
    monkeypatch.setitem(sys.modules, "optuna", None)
    refused("a search needs Optuna", UsageError)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_command_says_what_is_wrong_with_a_range(tmp_path):
    done = skincli(tmp_path, "tune", "tune.ranges=[optimizer.rl log 1e-4 1e-2]", code=2)
    assert "unknown key `optimizer.rl`" in done.err
    assert "did you mean `optimizer.lr`?" in done.err

"""The best trial as an experiment: found by `train`, and nobody else's file overwritten."""

from pathlib import Path

import pytest
import yaml

from skincli.config.load import load_config
from skincli.errors import ConfigError
from skincli.tuning.records import ranked
from skincli.tuning.settings import training_settings
from skincli.tuning.writing import caution, output_file, write_experiment


@pytest.fixture
def trials(run):
    return run()


@pytest.fixture
def best(trials):
    return ranked(trials)[0]


def test_the_best_trial_composes_to_the_config_it_was_trained_with(config, trials, best):
    config.model.backbone, config.model.pretrained = "small_resnet", False
    config.loss.label_smoothing = 0.1
    config.data.root, config.tracking.uri = "/somewhere", "sqlite:///elsewhere.db"
    path = write_experiment(config, trials, best)
    assert path == Path("configs/experiment/lab.yaml").absolute()
    assert [p.name for p in path.parent.iterdir()] == ["lab.yaml"]
    composed = load_config(["experiment=lab"], environ={}).config
    assert composed.optimizer.lr == best.values["optimizer.lr"]
    assert composed.model.width == best.values["model.width"]
    assert composed.data.crop == best.values["data.crop"]
    assert (composed.loss.label_smoothing, composed.trainer.max_epochs) == (0.1, 3)
    assert (composed.data.root, composed.tracking.uri) == ("data", "sqlite:///mlflow.db")
    for key, value in training_settings(composed).items():
        if key not in best.values:
            assert value == training_settings(config)[key]
    assert caution(config, best) == ""
    text = path.read_text()
    assert text.startswith("# The best trial of study `lab`, written by `skincli tune` on 20")
    assert f"trial {best.number} of 6, validation_macro_auroc {best.value:.4f}" in text
    assert "#   model.width 8 64\n" in text
    assert yaml.safe_load(text)["model"] == {
        "backbone": "small_resnet",
        "pretrained": False,
        "width": best.values["model.width"],
    }


def test_a_file_that_the_study_did_not_write_is_left_alone(config, trials, best):
    path = write_experiment(config, trials, best)
    assert write_experiment(config, trials, best) == path
    path.write_text("seed: 3\n")
    with pytest.raises(ConfigError, match="was not written by study `lab`"):
        write_experiment(config, trials, best)
    assert path.read_text() == "seed: 3\n"


def test_a_shipped_experiment_is_not_hidden_by_a_study_of_its_name(config):
    config.tune.study = "cpu"
    with pytest.raises(ConfigError, match="there is an experiment `cpu` already"):
        output_file(config.tune)
    config.tune.output = "best.yaml"
    assert output_file(config.tune) == Path("best.yaml").absolute()


def test_a_layer_that_outvotes_the_best_trial_is_named(config, trials, best):
    write_experiment(config, trials, best)
    Path("skincli.yaml").write_text("optimizer: {lr: 0.5}\n")
    assert (
        caution(config, best) == "other layers outvote the best trial: optimizer.lr (skincli.yaml)"
    )
    Path("skincli.yaml").write_text("data: {source: dermamnist}\n")
    assert "cannot be composed here: data.split must be official" in caution(config, best)
    Path("skincli.yaml").write_text("optimizer: {lr: 0.5}\n")
    config.tune.output = "far/best.yaml"
    assert write_experiment(config, trials, best) == Path("far/best.yaml").absolute()
    assert caution(config, best) == ""


@pytest.mark.parametrize("name", ["", "../up", "a/b", "-x", "a b"])
def test_a_study_bears_a_name_that_a_file_can_bear(name):
    with pytest.raises(ConfigError, match=r"tune.study must be"):
        load_config([f"tune.study={name}"], environ={})

"""The config layer: precedence, origins, and what is refused."""

from pathlib import Path

import pytest
import yaml

from skincli.config.groups import config_folders, group_options
from skincli.config.load import KEYS, descriptions, load_config, resolved_dict, to_yaml
from skincli.errors import ConfigError

ROOT = Path(__file__).parents[2]


def compose(folder, *overrides, file=None, environ=None):
    return load_config(overrides, file, folder, environ or {})


def test_layers_override_each_other_in_order(tmp_path):
    (tmp_path / "skincli.yaml").write_text("experiment: demo\nseed: 1\nserve: {port: 1001}\n")
    other = tmp_path / "other.yaml"
    other.write_text("seed: 2\nrun: {name: from-file}\nserve: {port: 1002}\n")
    environ = {"SKINCLI__SEED": "3", "SKINCLI__SERVE__PORT": "1003"}
    resolved = compose(tmp_path, "serve.port=1004", file=other, environ=environ)
    config = resolved.config
    assert (config.seed, config.run.name, config.serve.port) == (3, "from-file", 1004)
    assert config.data.source == "synthetic"
    assert resolved.origins["seed"] == "SKINCLI__SEED"
    assert resolved.origins["serve.port"] == "command line"
    assert resolved.origins["run.name"] == f"--config {other}"
    assert resolved.origins["data.source"] == "experiment=demo"
    assert "trainer.patience" not in resolved.origins


def test_a_group_on_the_command_line_beats_the_experiments_choice(tmp_path):
    own = tmp_path / "configs" / "experiment"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text("model: small_resnet\ntrainer: {max_epochs: 3}\n")
    assert compose(tmp_path, "experiment=mine").config.model.backbone == "small_resnet"
    chosen = compose(tmp_path, "experiment=mine", "model=resnet50").config
    assert (chosen.model.backbone, chosen.trainer.max_epochs) == ("resnet50", 3)
    value = compose(tmp_path, "trainer.max_epochs=9", "experiment=mine").config
    assert value.trainer.max_epochs == 9


def test_the_environment_may_choose_groups_and_a_config_file(tmp_path):
    file = tmp_path / "far.yaml"
    file.write_text("seed: 12\n")
    environ = {"SKINCLI__DATA": "synthetic", "SKINCLI_CONFIG": str(file)}
    config = compose(tmp_path, environ=environ).config
    assert (config.data.source, config.seed) == ("synthetic", 12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("012", "012"), ("1e5", "1e5"), ("no", "no"), ("1.10", "1.10"), ("null", None), ("", "")],
)
def test_text_stays_as_it_was_typed(tmp_path, text, expected):
    assert compose(tmp_path, f"run.name={text}").config.run.name == expected


@pytest.mark.parametrize(
    ("override", "message", "hint"),
    [
        ("trainer.max_epoch=3", "unknown key `trainer.max_epoch`", "`trainer.max_epochs`"),
        ("max_epochs=3", "unknown key", "`trainer.max_epochs`"),
        ("trainer=3", "there is no|unknown key", ""),
        ("data=nonsense", "there is no `data=nonsense`", "synthetic"),
        ("seed=x", "`seed` cannot be 'x'", ""),
        ("seed=1.5", "`seed` cannot be", ""),
        ("data.crop=round", "expected one of", ""),
        ("data.image_size=3", "data.image_size must be between", ""),
        ("data.parts.train=0.9", "data.parts must be shares that sum to 1", ""),
        ("model.dropout=[1]", "`model.dropout` cannot be", ""),
        ("tracking.uri=file:///tmp", "tracking.uri must be", ""),
        ("run.name=[1", "not valid YAML", ""),
        ("nonsense", "is not an override", "key=value"),
    ],
)
def test_mistakes_are_named_with_their_layer_and_a_way_on(tmp_path, override, message, hint):
    with pytest.raises(ConfigError, match=message) as caught:
        compose(tmp_path, override)
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


def test_a_typo_in_a_file_names_the_file(tmp_path):
    (tmp_path / "skincli.yaml").write_text("data: {imagesize: 3}\n")
    with pytest.raises(ConfigError, match=r"`data.imagesize` \(set by skincli.yaml\)") as caught:
        compose(tmp_path)
    assert "data.image_size" in caught.value.hint


@pytest.mark.parametrize("content", ["[1, 2]", "a: [", "\x00"])
def test_a_file_that_is_no_config_is_refused(tmp_path, content):
    (tmp_path / "bad.yaml").write_text(content)
    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        compose(tmp_path, file=tmp_path / "bad.yaml")


def test_a_missing_config_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no config file"):
        compose(tmp_path, file=tmp_path / "none.yaml")


def test_passwords_are_refused_in_files_and_masked_elsewhere(tmp_path):
    secret = "https://me:hunter2@example.org"
    (tmp_path / "skincli.yaml").write_text(f"tracking: {{uri: '{secret}'}}\n")
    with pytest.raises(ConfigError, match="holds a password") as caught:
        compose(tmp_path)
    assert "SKINCLI__TRACKING__URI" in caught.value.hint
    assert "hunter2" not in str(caught.value)
    (tmp_path / "skincli.yaml").unlink()
    config = compose(tmp_path, environ={"SKINCLI__TRACKING__URI": secret}).config
    assert config.tracking.uri == secret
    assert "hunter2" not in to_yaml(config)
    assert resolved_dict(config)["tracking"]["uri"] == "https://***@example.org"


def test_a_saved_config_composes_to_the_same_config(tmp_path):
    config = compose(tmp_path, "experiment=cpu", "run.name=012").config
    saved = tmp_path / "saved.yaml"
    saved.write_text(to_yaml(config))
    assert yaml.safe_load(saved.read_text())["run"]["name"] == "012"
    assert compose(tmp_path, file=saved).config == config


def test_every_key_says_what_it_is_for():
    texts = descriptions()
    assert set(texts) == set(KEYS)
    assert all(len(text) > 10 for text in texts.values())


def test_every_shipped_group_file_composes(tmp_path):
    for group in ("data", "model", "experiment"):
        options = list(group_options(group, tmp_path))
        assert options
        for option in options:
            compose(tmp_path, f"{group}={option}")


def test_the_users_own_configs_come_first(tmp_path):
    (tmp_path / "configs").mkdir()
    assert config_folders(tmp_path) == [tmp_path / "configs", ROOT / "configs"]

"""dvc.yaml and params.yaml: what stands in them, and whose they are."""

import pytest
import yaml

from skincli.config.load import load_config
from skincli.config.schema import Config
from skincli.data.download.checksums import md5_of
from skincli.errors import UsageError
from skincli.versioning.agreement import require_agreement
from skincli.versioning.stages import (
    disagreements,
    params_of,
    stages_of,
    write_pipeline,
)
from skincli.versioning.tracked import Tracked

SETTINGS = (
    "data=synthetic",
    "data.image_size=48",
    "model.backbone=small_resnet",
    "optimizer.lr=1e-5",
    "evaluate.resamples=500",
    "trainer.precision=32-true",
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def config_of(*settings: str) -> Config:
    return load_config(settings, environ={}).config


def test_params_are_a_config_file_that_gives_the_same_settings(here):
    config = config_of(*SETTINGS)
    write_pipeline(config, Tracked.of(config.data), "a1b2")
    again = load_config([], here / "params.yaml", environ={}).config
    assert again == config


def test_where_things_lie_and_what_they_run_on_is_in_no_params(here):
    here_only = (
        *("data.root=elsewhere", "run.root=r", "run.name=n", "evaluate.root=e"),
        *("tracking.uri=none", "data.device_cache=0", "data.mirror=https://example.org/m"),
        *("trainer.devices=2", "trainer.accelerator=cpu", "trainer.compile=true"),
        *("inference.threads=3", "serve.port=9000", "checkpoint.every=5"),
        *("runner.labels=mine", "versioning.dvc=/opt/dvc"),
    )
    plain, moved = config_of(*SETTINGS), config_of(*SETTINGS, *here_only)
    assert params_of(moved, here) == params_of(plain, here)


def test_another_place_of_the_data_is_in_the_commands(here):
    config = config_of(*SETTINGS, "data.root=../shared")
    stages = stages_of(config, Tracked.of(config.data), "a1b2")
    assert all("data.root=../shared" in c for stage in stages.values() for c in stage["cmd"])
    assert stages["prepare"]["deps"] == ["../shared/synthetic/raw"]


def test_a_users_own_images_are_named_from_where_one_works(here):
    settings = ["data=folder", "data.name=clinic", f"data.folder.images={here}/photos"]
    config = config_of(*settings, f"data.folder.metadata={here}/table.csv")
    assert params_of(config, here)["data"]["folder"]["images"] == "photos"
    prepare = stages_of(config, Tracked.of(config.data), "a1b2")["prepare"]
    assert prepare["deps"] == ["photos", "table.csv"]
    check, fetch, pack = prepare["cmd"]
    assert check.startswith("skincli data check-params")
    assert fetch.startswith("skincli data fetch")
    assert pack.startswith("skincli data prepare")


def test_stages_of_other_names_and_what_else_is_there_stay(here):
    own = {"vars": [{"a": 1}], "stages": {"mine": {"cmd": "true"}}}
    (here / "dvc.yaml").write_text(yaml.safe_dump(own))
    config = config_of(*SETTINGS)
    write_pipeline(config, Tracked.of(config.data), "a1b2")
    found = yaml.safe_load((here / "dvc.yaml").read_text())
    assert found["vars"] == own["vars"]
    assert list(found["stages"]) == ["mine", "prepare", "train", "evaluate"]


def test_the_pipeline_of_another_data_set_is_not_overwritten(here):
    config = config_of(*SETTINGS)
    write_pipeline(config, Tracked.of(config.data), "a1b2")
    before = [(here / name).read_text() for name in ("dvc.yaml", "params.yaml")]
    other = config_of(*SETTINGS, "data.name=another")
    with pytest.raises(UsageError, match="is of another data set"):
        write_pipeline(other, Tracked.of(other.data), "a1b2")
    assert before == [(here / name).read_text() for name in ("dvc.yaml", "params.yaml")]


def test_somebody_elses_params_are_not_overwritten(here):
    (here / "params.yaml").write_text("lr: 0.1\n")
    config = config_of(*SETTINGS)
    with pytest.raises(UsageError, match=r"params.yaml` is not skincli's"):
        write_pipeline(config, Tracked.of(config.data), "a1b2")
    assert (here / "params.yaml").read_text() == "lr: 0.1\n"
    assert not (here / "dvc.yaml").exists()


def test_settings_that_params_do_not_have_are_named(here):
    config = config_of(*SETTINGS)
    assert disagreements(config, here) == []
    write_pipeline(config, Tracked.of(config.data), "a1b2")
    assert disagreements(config, here) == []
    assert disagreements(config_of(*SETTINGS, "seed=3", "task=binary"), here) == ["seed", "task"]


def test_stages_name_the_pack_and_the_split_in_use_and_what_decides_them(here):
    config = config_of(*SETTINGS)
    stages = stages_of(config, Tracked.of(config.data), "a1b2")
    pack, splits = "data/synthetic/prepared/a1b2", "data/synthetic/splits"
    assert [path for out in stages["prepare"]["outs"] for path in out][-2:] == [pack, splits]
    raw, packed, split = stages["train"]["deps"]
    assert (raw, packed) == ("data/synthetic/raw", pack)
    assert split.startswith(f"{splits}/seed")
    assert stages["evaluate"]["deps"] == [packed, split, "training.json"]
    assert "data.image_size" in stages["train"]["params"]


def test_the_environment_must_not_beat_params_unseen(here):
    config = config_of(*SETTINGS)
    write_pipeline(config, Tracked.of(config.data), "a1b2")
    require_agreement(config, here)
    beaten = load_config([], here / "params.yaml", environ={"SKINCLI__TRAINER__MAX_EPOCHS": "1"})
    with pytest.raises(UsageError, match=r"`trainer.max_epochs` otherwise") as told:
        require_agreement(beaten.config, here)
    assert "SKINCLI__TRAINER__MAX_EPOCHS" in told.value.hint


def test_an_edit_of_the_project_file_must_not_stay_without_effect_unseen(here):
    (here / "skincli.yaml").write_text("trainer: {max_epochs: 3}\nseed: 1\n")
    config = config_of(*SETTINGS)
    write_pipeline(config, Tracked.of(config.data), "a1b2")
    stages = stages_of(config, Tracked.of(config.data), "a1b2")
    assert stages["prepare"]["deps"] == ["data/synthetic/raw", "skincli.yaml"]
    lock(here)
    params = (here / "params.yaml").read_text()
    tried = params.replace("max_epochs: 3", "max_epochs: 9")  # as `dvc exp run -S` does
    (here / "params.yaml").write_text(tried)
    in_stage = load_config([], here / "params.yaml", environ={}).config
    require_agreement(in_stage, here)
    (here / "params.yaml").write_text(params)
    (here / "skincli.yaml").write_text("trainer: {max_epochs: 4}\nseed: 1\nserve: {port: 9000}\n")
    with pytest.raises(UsageError, match=r"skincli.yaml` was edited and sets `trainer.max_ep"):
        require_agreement(config, here)
    (here / "skincli.yaml").write_text("trainer: {max_epochs: 3}\nserve: {port: 9000}\n")
    require_agreement(config, here)


def lock(here):
    """What DVC notes of the project file when `prepare` has run."""
    md5 = md5_of(here / "skincli.yaml")
    dep = f"{{path: skincli.yaml, hash: md5, md5: {md5}, size: 1}}"
    (here / "dvc.lock").write_text(f"stages:\n  prepare:\n    deps:\n    - {dep}\n")

"""A user's own folder in versions, and `dvc repro` with the installed commands."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from commands import skincli
from repositories import alone, bring_raw, clone, drawn_config, git, new_repository, status_of

from skincli.config.schema import Config
from skincli.data import fetch, prepare
from skincli.data.raw import ARCHIVES, METADATA
from skincli.data.storage import SetFolder
from skincli.progress import Silent
from skincli.versioning.making import version
from skincli.versioning.remote import set_remote
from skincli.versioning.status import status
from skincli.versioning.transfer import pull, push

SETTINGS = """
data: {source: synthetic, image_size: 32, synthetic: {lesions: 120}, parts: {seed: 409}}
model: {backbone: small_resnet, pretrained: false, width: 8}
trainer: {max_epochs: 1, accelerator: cpu}
evaluate: {resamples: 100}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Path]:
    with alone(tmp_path):
        yield new_repository(tmp_path / "own")


def test_a_users_own_images_and_table_are_versioned_where_they_lie(
    repository, synthetic_config: Config, dvc: str, tmp_path: Path
):
    raw = SetFolder.of(synthetic_config.data).raw
    for name in ARCHIVES:
        with zipfile.ZipFile(raw / name) as archive:
            archive.extractall(repository / "photos")
    shutil.copy(raw / METADATA, repository / "table.csv")
    config = drawn_config(synthetic_config, dvc)
    config.data.source, config.data.name = "folder", "clinic"
    config.data.folder.images, config.data.folder.metadata = "photos", "table.csv"
    with chdir(repository):
        fetch(config, Silent())
        version(config, "My images", Silent())
        set_remote(config, "../store", None, None)
        git(repository, "commit", "--quiet", "--all", "--message", "A remote")
        assert push(config, Silent()).files > 150
        assert git(repository, "status", "--porcelain", "--untracked-files=all") == ""
        assert str(tmp_path) not in (repository / "params.yaml").read_text()
    there = clone(repository, tmp_path / "clone")
    cache = "[cache]\n    dir = ../../cache\n    type = symlink\n"
    (there / ".dvc" / "config.local").write_text(cache)  # on another disk, for one
    with chdir(there):
        pull(config, Silent())
        assert (there / "table.csv").is_symlink()
        assert not prepare(config, Silent()).created
        assert status(config, Silent()).unchanged
        assert status_of(dvc, there, "prepare", "photos.dvc", "table.csv.dvc") == ""
        assert not version(config, None, Silent()).changed


@pytest.mark.slow
def test_repro_runs_the_commands_once_and_a_run_brings_its_data_back(
    repository, synthetic_config: Config, dvc: str, tmp_path: Path
):
    bring_raw(synthetic_config, repository)
    (repository / "skincli.yaml").write_text(SETTINGS)
    environ = {"SKINCLI__VERSIONING__DVC": dvc}
    first = skincli(repository, "data", "version", "-m", "v1", "--json", **environ).data
    assert first["commit"]
    repro(dvc, repository)
    training = json.loads((repository / "training.json").read_text())
    figures = json.loads((repository / "evaluation.json").read_text())
    assert 0 <= figures["balanced_accuracy"] <= 1
    assert "balanced_accuracy" in metrics(dvc, repository)
    skincli(repository, "data", "prepare", "data.image_size=24")  # a pack beside the one in use
    again = repro(dvc, repository)
    assert "Data and pipelines are up to date" in again
    assert training == json.loads((repository / "training.json").read_text())
    shown = skincli(repository, "models", "show", training["run_id"]).out
    assert f"data version {first['raw'][0]['md5'].removesuffix('.dir')}" in shown
    [environment] = repository.glob("runs/*/environment.json")
    assert json.loads(environment.read_text())["data_version"]["committed"]
    shutil.rmtree(repository / "runs")  # the store knows it as well
    shutil.rmtree(repository / "data" / "synthetic" / "raw")
    words = ["data", "checkout", training["run_id"], "--json"]
    done = skincli(repository, *words, **environ).data
    assert (done["run_id"], done["fetched"]) == (training["run_id"], 0)
    assert "Unchanged" in skincli(repository, "data", "prepare").out

    (repository / "skincli.yaml").write_text(SETTINGS.replace("max_epochs: 1", "max_epochs: 2"))
    told = repro(dvc, repository, fails=True)
    assert "`skincli.yaml` was edited and sets `trainer.max_epochs` otherwise" in told
    skincli(repository, "data", "version", **environ)
    told = repro(dvc, repository, fails=True, SKINCLI__TRAINER__MAX_EPOCHS="1")
    assert "the environment sets `trainer.max_epochs` otherwise than `params.yaml`" in told
    assert training == json.loads((repository / "training.json").read_text())


def repro(dvc: str, folder: Path, *, fails: bool = False, **variables: str) -> str:
    """What a person sees who has skincli installed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [dvc, "repro"],
        check=False,
        cwd=folder,
        env=os.environ | {"PATH": path} | variables,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout + (done.stderr if fails else "")


def metrics(dvc: str, folder: Path) -> str:
    command = [dvc, "metrics", "show"]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout

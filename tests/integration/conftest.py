"""A store of its own for each test, and models in it without training."""

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from bundles import tiny_bundle

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.data import prepare
from skincli.progress import Silent
from skincli.taxonomy import Task
from skincli.tracking.runs import recorded_run


@pytest.fixture
def config(synthetic_config: Config, empty_database: Path, tmp_path: Path) -> Config:
    config = copy.deepcopy(synthetic_config)
    shutil.copyfile(empty_database, tmp_path / "mlflow.db")
    config.tracking.uri = f"sqlite:///{tmp_path}/mlflow.db"
    config.run.root = str(tmp_path / "runs")
    config.evaluate.root = str(tmp_path / "evaluations")
    return config


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Two tests run side by side, and sums are the same with as many threads."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def log_model(config: Config, tmp_path: Path):
    """Log a tiny bundle as the model of a finished run; another `seed`, another model."""

    def log(seed: int = 0, task: Task = "multiclass") -> tuple[str, Bundle]:
        manifest = prepare(config, Silent()).prepared.manifest
        with recorded_run(config, f"tiny-{seed}", "", None, Silent()) as recorder:
            bundle = tiny_bundle(
                tmp_path / f"tiny-{seed}-{task}",
                task,
                split_fingerprint=manifest.split_fingerprint,
                run_id=recorder.run_id,
                seed=seed,
            )
            recorder.bundle(bundle)
        return recorder.run_id, bundle

    return log

"""A search of three settings whose trainings are pretended."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pretended import pretend
from sqlalchemy import Engine, event

from skincli.config.schema import Config
from skincli.progress import Silent
from skincli.tuning.opening import open_study
from skincli.tuning.ranges import read_ranges
from skincli.tuning.records import TrialRecord
from skincli.tuning.search import Attempt, search


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """A thousand commits that each wait for the disk would be half of these tests' time."""

    def hurry(connection: Any, _: object) -> None:
        connection.execute("pragma synchronous = off")

    event.listen(Engine, "connect", hurry)
    yield
    event.remove(Engine, "connect", hurry)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.chdir(tmp_path)
    config = Config()
    config.tune.study = "lab"
    config.tune.trials = 6
    config.tune.ranges = [
        "optimizer.lr log 1e-4 1e-1",
        "model.width 8 64",
        "data.crop one of center whole",
    ]
    config.trainer.max_epochs = 3
    return config


@pytest.fixture
def run(config: Config) -> Callable[..., tuple[TrialRecord, ...]]:
    """Start the search of `config`, go through to its end, and return all trials there are."""

    def start(attempt: Attempt = pretend, made_for: object = "this") -> tuple[TrialRecord, ...]:
        ranges = read_ranges(config)
        with open_study(config, ranges, {"made for": made_for}) as study:
            for _ in search(study, config, attempt, Silent()):
                pass
            return study.records()

    return start

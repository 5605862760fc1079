"""What the tests of workflows share: a clean clone, an index of packages, GitHub's comments."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from services import require
from standins.comments import CommentsStandIn
from workflow_github import git
from workflow_index import add_editables, fill_index, needed_by_skincli

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean clone of this repository."""
    require((ROOT / ".git").exists(), "the repository of this checkout")
    folder = tmp_path_factory.mktemp("clone")
    git(folder, "clone", "--quiet", "--no-local", str(ROOT), ".")
    return folder


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory, dvc: str, clone: Path) -> Path:
    """What PyPI is to the machines: packages, DVC, and the skincli of the clone."""
    folder = tmp_path_factory.mktemp("index")
    fill_index(folder, Path(sys.prefix), needed_by_skincli())
    fill_index(folder, Path(dvc).parents[1], {"dvc"})
    add_editables(folder)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=clone, check=True, capture_output=True)
    return folder


@pytest.fixture
def api() -> Iterator[CommentsStandIn]:
    with CommentsStandIn() as server:
        yield server

"""`skincli runner-setup --write-workflows`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from skincli.config.automation import RunnerConfig
from skincli.runner.checks import Environ
from skincli.runner.workflows.render import Repository, render
from skincli.runner.workflows.repository import describe, find_root
from skincli.tracking.writing import write_atomically

# `kept` is a file that somebody changed, or that is of an earlier version.
State = Literal["written", "unchanged", "kept"]

WORKFLOWS: Final = ("ci.yml", "train.yml")
OWN_WORKFLOWS: Final = ("train.yml",)  # the `ci.yml` of skincli's own repository is no template


@dataclass(frozen=True, slots=True)
class WorkflowsResult:
    """What became of each file, and what the workflows know of the repository."""

    repository: Repository
    files: Mapping[Path, State]


def write_workflows(
    folder: Path, config: RunnerConfig, environ: Environ, *, force: bool = False
) -> WorkflowsResult:
    """Write `ci.yml` and `train.yml` into `.github/workflows` of the repository `folder` is in.

    A file that is there with other content is kept, unless `force` is given.

    Raises UsageError outside a git repository, and where git knows neither origin nor branch.
    """
    root = find_root(folder, environ)
    repository = describe(root, config, environ)
    target = root / ".github" / "workflows"
    target.mkdir(parents=True, exist_ok=True)
    names = WORKFLOWS if repository.version else OWN_WORKFLOWS
    files = {
        target / name: _write(target / name, render(name, repository), force) for name in names
    }
    return WorkflowsResult(repository, files)


def _write(path: Path, text: str, force: bool) -> State:
    if path.is_file() and path.read_bytes() == text.encode():
        return "unchanged"
    if path.exists() and not force:
        return "kept"
    write_atomically(path, text)
    return "written"

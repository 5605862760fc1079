"""What a run has recorded of its environment: in its folder, else in the store."""

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from skincli.config.operating import NO_STORE
from skincli.config.schema import Config
from skincli.errors import UsageError
from skincli.tracking.finding import find_run_folder, latest_finished
from skincli.tracking.run_files import fetch_run_files
from skincli.tracking.run_folder import RunFolder

_LATEST: Final = "latest"
_RUN_ID: Final = re.compile(r"[0-9a-f]{32}")
_ENVIRONMENT: Final = "environment.json"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run's id and its `environment.json`; `folder` is None where only the store has it."""

    run_id: str
    environment: dict[str, Any]
    folder: Path | None


def run_record(config: Config, run: str) -> RunRecord:
    """The record of a run, named as in `find_run_folder`, or `latest`.

    Raises UsageError where there is no such run, or where it recorded nothing that can be read.
    """
    try:
        folder = _folder(Path(config.run.root), run)
    except UsageError:
        if not _RUN_ID.fullmatch(run) or config.tracking.uri == NO_STORE:
            raise
    else:
        return RunRecord(folder.state().run_id, _read(run, folder.environment), folder.path)
    with tempfile.TemporaryDirectory() as scratch:
        found = fetch_run_files(config, run, [_ENVIRONMENT], Path(scratch))
        if not found:
            raise UsageError(
                f"there is no run `{run}` in `{config.run.root}`, nor such a run with its "
                "environment in the tracking store",
                "name a run folder or a run id; `tracking.uri=URI` names another store",
            )
        return RunRecord(run, _read(run, found[_ENVIRONMENT]), None)


def _folder(root: Path, run: str) -> RunFolder:
    return latest_finished(root) if run == _LATEST else find_run_folder(root, run)


def _read(run: str, file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"run `{run}` has no environment that can be read: {error}") from None
    return content if isinstance(content, dict) else {}

"""Evaluations in the store: beside the sealed bundle, keyed by its digest and the test split."""

import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from skincli.config.schema import Config
from skincli.tracking.resolve import ResolvedModel
from skincli.tracking.store import connect, database_file, store_errors

_NO_SUCH_RUN: Final = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


def publish_evaluation(
    config: Config, resolved: ResolvedModel, folder: Path, metrics: Mapping[str, float], key: str
) -> bool:
    """Log an evaluation's files and metrics to the model's run; False if it is not in the store."""
    from mlflow.entities import Metric
    from mlflow.exceptions import MlflowException

    database = database_file(config.tracking)
    if resolved.run_id is None or (database and not database.exists()):
        return False
    client = connect(config.tracking)
    with store_errors(config.tracking):
        try:
            client.get_run(resolved.run_id)
        except MlflowException as error:
            if error.error_code not in _NO_SUCH_RUN:
                raise
            return False
        now = int(time.time() * 1000)
        batch = [Metric(name, value, now, 0) for name, value in metrics.items()]
        client.log_batch(resolved.run_id, metrics=batch)
        client.log_artifacts(
            resolved.run_id, str(folder), _artifact_path(resolved.bundle.digest, key)
        )
    return True


def find_evaluation(
    config: Config, run_id: str | None, digest: str, key: str
) -> dict[str, Any] | None:
    """The `evaluation.json` of a bundle on the test split `key`, or None if there is none."""
    from mlflow.exceptions import MlflowException

    if run_id is None:
        return None
    client = connect(config.tracking)
    path = f"{_artifact_path(digest, key)}/evaluation.json"
    with store_errors(config.tracking), tempfile.TemporaryDirectory() as scratch:
        try:
            listed = {
                item.path for item in client.list_artifacts(run_id, _artifact_path(digest, key))
            }
        except MlflowException as error:
            if error.error_code not in _NO_SUCH_RUN:
                raise
            return None
        if path not in listed:
            return None
        file = client.download_artifacts(run_id, path, scratch)
        content: dict[str, Any] = json.loads(Path(file).read_text())
    return content if content.get("bundle_digest") == digest else None


def _artifact_path(digest: str, key: str) -> str:
    return f"evaluation/{digest[:12]}-{key}"

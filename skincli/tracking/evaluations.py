"""Evaluations in the store: beside the sealed bundle, keyed by its digest and the test split."""

import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skincli.config.operating import NO_STORE
from skincli.config.schema import Config
from skincli.tracking.resolve import ResolvedModel
from skincli.tracking.store import connect, database_file, store_errors
from skincli.tracking.stored_runs import find_run


def publish_evaluation(
    config: Config, resolved: ResolvedModel, folder: Path, metrics: Mapping[str, float], key: str
) -> bool:
    """Log an evaluation's files and metrics to the model's run; False if it is not in the store."""
    from mlflow.entities import Metric

    database = database_file(config.tracking)
    away = config.tracking.uri == NO_STORE or (database and not database.exists())
    if resolved.run_id is None or away:
        return False
    client = connect(config.tracking)
    with store_errors(config.tracking):
        run = find_run(client, resolved.run_id)
        if run is None:
            return False
        run_id = run.info.run_id
        now = int(time.time() * 1000)
        batch = [Metric(name, value, now, 0) for name, value in metrics.items()]
        client.log_batch(run_id, metrics=batch)
        client.log_artifacts(run_id, str(folder), _artifact_path(resolved.bundle.digest, key))
    return True


def find_evaluation(
    config: Config, run_id: str | None, digest: str, key: str
) -> dict[str, Any] | None:
    """The `evaluation.json` of a bundle on the test split `key`, or None if there is none."""
    client = connect(config.tracking)
    place = _artifact_path(digest, key)
    path = f"{place}/evaluation.json"
    with store_errors(config.tracking), tempfile.TemporaryDirectory() as scratch:
        run = find_run(client, run_id) if run_id else None
        if run is None:
            return None
        run_id = run.info.run_id
        if path not in {item.path for item in client.list_artifacts(run_id, place)}:
            return None
        file = client.download_artifacts(run_id, path, scratch)
        content: dict[str, Any] = json.loads(Path(file).read_text())
    return content if content.get("bundle_digest") == digest else None


def _artifact_path(digest: str, key: str) -> str:
    return f"evaluation/{digest[:12]}-{key}"

"""One run into another store: its records, files and bundles, proved to be the same there.

The copy names the run that it is of, so that it is found again; the digest of all that was copied
is written to it last. A copy that has the digest is whole. One that was cut off has not, and
copying again adds what is missing: nothing that a repetition changes.
"""

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from skincli.bundle import copy_bundle
from skincli.errors import SkincliError
from skincli.tracking.batches import log_events
from skincli.tracking.fetching import download_bundle
from skincli.tracking.hashing import hashes
from skincli.tracking.migration.source import Source, bundle_models
from skincli.tracking.models import log_bundle
from skincli.tracking.spool import Event
from skincli.tracking.stored_runs import RUN_TAG

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

COPY_OF: Final = "skincli.copy_of"
_WHOLE: Final = "skincli.copied_sha256"
_PARENT: Final = "mlflow.parentRunId"


@dataclass(frozen=True, slots=True)
class Content:
    """What is copied of a run. `metrics` are (name, time, step, value).

    `files` maps paths to SHA-256, `bundles` MLflow's ids of the run's models to bundles' digests.
    """

    state: tuple[str, str]
    params: dict[str, str]
    tags: dict[str, str]
    metrics: list[tuple[str, int, int, str]]
    files: dict[str, str]
    bundles: dict[str, str]

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Copy:
    """`models` maps ids of models to those in the target; `fresh` is whether work was needed."""

    run_id: str
    models: dict[str, str]
    content: Content
    fresh: bool


def read_content(source: Source, run: "Run") -> Content:
    """All of a run that is copied. Raises SkincliError when its files lie elsewhere."""
    folder = source.folder(run.info.artifact_uri)
    return Content(
        state=(run.info.status, run.info.lifecycle_stage),
        params=dict(run.data.params),
        tags=dict(run.data.tags),
        metrics=_points(source.client, run),
        files=hashes(folder),
        bundles=bundle_models(source.client, run),
    )


def copy_run(
    source: Source, target: "MlflowClient", run: "Run", place: str, copies: dict[str, Copy]
) -> Copy:
    """Copy a run into the experiment `place` of the target, unless its copy there is whole.

    `copies` are those made so far: a run is shown below the copy of its parent. Raises
    SkincliError when the target does not hold the same afterwards.
    """
    content = read_content(source, run)
    copy = _found_copy(target, run, place) or _create_copy(target, run, place)
    run_id = str(copy.info.run_id)
    if copy.data.tags.get(_WHOLE) == content.digest:
        return Copy(run_id, _copied_models(target, copy, content), content, fresh=False)
    if copy.info.lifecycle_stage == "deleted":
        target.restore_run(run_id)
    _log_records(target, run_id, content)
    if content.files:
        target.log_artifacts(run_id, str(source.folder(run.info.artifact_uri)))
    models = _log_bundles(source, target, copy, content)
    _require_same(target, run_id, content, models)
    _end(target, run_id, run, copies)
    target.set_tag(run_id, _WHOLE, content.digest)
    if run.info.lifecycle_stage == "deleted":
        target.delete_run(run_id)
    return Copy(run_id, models, content, fresh=True)


def _found_copy(target: "MlflowClient", run: "Run", place: str) -> "Run | None":
    from mlflow.entities import ViewType

    found = target.search_runs([place], f"tags.`{COPY_OF}` = '{run.info.run_id}'", ViewType.ALL)
    return found[0] if found else None


def _create_copy(target: "MlflowClient", run: "Run", place: str) -> "Run":
    """KILLED until it is whole: whatever ends the copying leaves nothing RUNNING."""
    tags = {COPY_OF: run.info.run_id, RUN_TAG: run.data.tags.get(RUN_TAG, run.info.run_id)}
    start = run.info.start_time
    copy = target.create_run(place, start_time=start, tags=tags, run_name=run.info.run_name)
    target.set_terminated(copy.info.run_id, "KILLED")
    return copy


def _log_records(target: "MlflowClient", run_id: str, content: Content) -> None:
    points = [
        Event(kind="metrics", values={name: float(value)}, step=step, time=time)
        for name, time, step, value in content.metrics
    ]
    named = [Event(kind="params", values=content.params), Event(kind="tags", values=content.tags)]
    log_events(target, run_id, [*points, *named])


def _log_bundles(
    source: Source, target: "MlflowClient", copy: "Run", content: Content
) -> dict[str, str]:
    models = {}
    for model_id in content.bundles:
        location = source.client.get_logged_model(model_id).artifact_location
        with tempfile.TemporaryDirectory() as scratch:
            bundle = copy_bundle(source.folder(location), Path(scratch) / "bundle")
            run = target.get_run(copy.info.run_id)  # which names what it has by now
            models[model_id] = log_bundle(target, run, bundle)
    return models


def _copied_models(target: "MlflowClient", copy: "Run", content: Content) -> dict[str, str]:
    there = {digest: model_id for model_id, digest in bundle_models(target, copy).items()}
    return {model_id: there[digest] for model_id, digest in content.bundles.items()}


def _require_same(
    target: "MlflowClient", run_id: str, content: Content, models: dict[str, str]
) -> None:
    """Read everything back. Raises SkincliError that names what is not the same."""
    run = target.get_run(run_id)
    with tempfile.TemporaryDirectory() as scratch:
        files = Path(scratch) / "files"
        files.mkdir()
        if content.files:
            target.download_artifacts(run_id, "", str(files))
        differs = {
            "parameters": run.data.params != content.params,
            "metrics": _points(target, run) != content.metrics,
            "files": hashes(files) != content.files,
        }
        for model_id, digest in content.bundles.items():
            download_bundle(f"models:/{models[model_id]}", digest, Path(scratch) / model_id)
    wrong = [name for name, so in differs.items() if so]
    if wrong:
        raise SkincliError(
            f"the copy {run_id} has other {' and '.join(wrong)} than its run",
            "nobody else may write to it; run the same command again",
        )


def _end(target: "MlflowClient", run_id: str, run: "Run", copies: dict[str, Copy]) -> None:
    parent = run.data.tags.get(_PARENT)
    if parent is not None:
        target.set_tag(run_id, _PARENT, copies[parent].run_id if parent in copies else parent)
    target.set_terminated(run_id, run.info.status, run.info.end_time)


def _points(client: "MlflowClient", run: "Run") -> list[tuple[str, int, int, str]]:
    return sorted(
        (point.key, int(point.timestamp), int(point.step), repr(float(point.value)))
        for name in run.data.metrics
        for point in client.get_metric_history(run.info.run_id, name)
    )

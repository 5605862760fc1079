"""Evaluations in the store: beside the sealed bundle, keyed by its digest and the images."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from skincli.config.operating import NO_STORE
from skincli.config.schema import Config
from skincli.tracking.resolve import ResolvedModel
from skincli.tracking.store import connect, database_file, store_errors
from skincli.tracking.stored_runs import find_run

# Its name carries the images, its value the bundle. Set when all files of an evaluation are there.
_TAG: Final = "skincli.evaluated."
_FILES: Final = ("evaluation.json", "predictions.csv")


def publish_evaluation(
    config: Config, resolved: ResolvedModel, folder: Path, metrics: Mapping[str, float], key: str
) -> bool:
    """Log an evaluation's files and metrics to the model's run; False if it is not in the store."""
    from mlflow.entities import Metric

    if resolved.run_id is None or _is_away(config):
        return False
    client = connect(config.tracking)
    with store_errors(config.tracking):
        run = find_run(client, resolved.run_id)
        if run is None:
            return False
        run_id, digest = run.info.run_id, resolved.bundle.digest
        now = int(time.time() * 1000)
        batch = [Metric(name, value, now, 0) for name, value in metrics.items()]
        client.log_batch(run_id, metrics=batch)
        client.log_artifacts(run_id, str(folder), _artifact_path(digest, key))
        client.set_tag(run_id, f"{_TAG}{key}", digest)
    return True


def fetch_evaluation(
    config: Config,
    run_id: str,
    digest: str,
    key: str,
    scratch: Path,
    pictures: Sequence[str] = (),
) -> Path | None:
    """A folder below `scratch` with what the gate needs of an evaluation: the figures and the
    predictions of a bundle on the images `key`; and `pictures` of them, by the names of their
    files. None where it was not measured on them.
    """
    client = connect(config.tracking)
    place = _artifact_path(digest, key)
    with store_errors(config.tracking):
        run = find_run(client, run_id)
        if run is None or run.data.tags.get(f"{_TAG}{key}") != digest:
            return None
        folder = scratch / digest
        folder.mkdir()
        for file in (*_FILES, *pictures):
            # It may keep the artifact's folders or not, as the kind of store goes.
            found = client.download_artifacts(run.info.run_id, f"{place}/{file}", str(folder))
    return Path(found).parent


def evaluated_on(config: Config, run_id: str, digest: str) -> list[str]:
    """The keys of all images that a bundle was measured on, as its run tells; none without one."""
    if _is_away(config):
        return []
    client = connect(config.tracking)
    with store_errors(config.tracking):
        run = find_run(client, run_id)
    tags = run.data.tags.items() if run else ()
    ours = (name for name, value in tags if name.startswith(_TAG) and value == digest)
    return [name.removeprefix(_TAG) for name in ours]


def count_evaluated(config: Config, key: str) -> int:
    """How many different bundles were measured on the images `key`, those of deleted runs too."""
    from mlflow.entities import ViewType

    client = connect(config.tracking)
    tag = f"{_TAG}{key}"
    with store_errors(config.tracking):
        places = [each.experiment_id for each in client.search_experiments(ViewType.ALL)]
        digests: set[str] = set()
        token = None
        while True:
            page = client.search_runs(places, f"tags.`{tag}` != ''", ViewType.ALL, page_token=token)
            digests.update(run.data.tags[tag] for run in page)
            token = page.token
            if not token:
                return len(digests)


def _is_away(config: Config) -> bool:
    """No store is configured, or its file was not made yet: asking would make it."""
    database = database_file(config.tracking)
    return config.tracking.uri == NO_STORE or (database is not None and not database.exists())


def _artifact_path(digest: str, key: str) -> str:
    return f"evaluation/{digest[:12]}-{key}"

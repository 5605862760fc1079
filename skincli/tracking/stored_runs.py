"""Runs as the store knows them: found by either of their ids, made, and ended for the dead."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from skincli.config.operating import TrackingConfig
from skincli.errors import SkincliError
from skincli.tracking.processes import host_name, is_alive, process_token
from skincli.tracking.store import experiment_id

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

HOST_TAG: Final = "skincli.host"
PROCESS_TAG: Final = "skincli.process"
RUN_TAG: Final = "skincli.run_id"
# The version of the data that the run learnt from, where they have one.
DATA_VERSION_TAG: Final = "skincli.data_version"
_PARENT_TAG: Final = "mlflow.parentRunId"
_RUN_ID: Final = re.compile(r"[0-9a-f]{32}")
NO_SUCH_RUN: Final = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


def find_run(client: "MlflowClient", run_id: str) -> "Run | None":
    """The run of this id; or the one that was published later, under an id that MLflow gave it."""
    from mlflow.exceptions import MlflowException

    if not _RUN_ID.fullmatch(run_id):
        return None
    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code not in NO_SUCH_RUN:
            raise
    places = [experiment.experiment_id for experiment in client.search_experiments()]
    found = client.search_runs(places, f"tags.`{RUN_TAG}` = '{run_id}'", max_results=1)
    return found[0] if found else None


def find_active_run(client: "MlflowClient", run_id: str) -> "Run | None":
    """As `find_run`. Raises SkincliError for a run that someone deleted."""
    run = find_run(client, run_id)
    if run is not None and run.info.lifecycle_stage == "deleted":
        raise SkincliError(
            f"run `{run_id}` was deleted in the tracking store",
            "restore it there; its folder keeps everything",
        )
    return run


def create_run(
    client: "MlflowClient",
    config: TrackingConfig,
    name: str,
    tags: Mapping[str, str],
    parent: str | None,
    started: int | None = None,
) -> "Run":
    """Make a run in the configured experiment, held by this process.

    `parent` is the id of the run that MLflow shows it below; `started` is in milliseconds since
    1970, None for now.
    """
    ours = {HOST_TAG: host_name(), PROCESS_TAG: process_token()}
    if parent is not None:
        found = find_run(client, parent)
        ours[_PARENT_TAG] = found.info.run_id if found else parent
    return client.create_run(
        experiment_id(client, config), start_time=started, run_name=name, tags={**tags, **ours}
    )


def end_stale_runs(client: "MlflowClient", config: TrackingConfig) -> list[str]:
    """End as KILLED every RUNNING run of this host whose process is gone. Returns their ids."""
    runs = client.search_runs(
        [experiment_id(client, config)],
        f"attributes.status = 'RUNNING' and tags.`{HOST_TAG}` = '{host_name()}'",
    )
    stale = [run for run in runs if not is_alive(run.data.tags.get(PROCESS_TAG, ""))]
    for run in stale:
        client.set_terminated(run.info.run_id, "KILLED")
    return [run.info.run_id for run in stale]

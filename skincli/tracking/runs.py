"""One owner of a run: it begins it, records it on disk and in MLflow, and ends it whatever comes.

A tracking server that goes away in the middle costs the copy in MLflow, never the training.
"""

import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from skincli.bundle import Bundle
from skincli.config.load import flatten, resolved_dict, to_yaml
from skincli.config.operating import TrackingConfig
from skincli.config.schema import Config
from skincli.errors import Interrupted, SkincliError
from skincli.progress import Progress
from skincli.tracking.models import log_bundle
from skincli.tracking.processes import host_name, is_alive, process_token
from skincli.tracking.run_folder import RunFolder, Status, as_json, create_run_folder
from skincli.tracking.store import connect, experiment_id, store_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient

HOST_TAG: Final = "skincli.host"
PROCESS_TAG: Final = "skincli.process"
_PARAMS_AT_ONCE: Final = 100


class RunRecorder:
    """Writes to the run folder first, then to MLflow as long as it answers."""

    def __init__(
        self, client: "MlflowClient", config: TrackingConfig, folder: RunFolder, progress: Progress
    ) -> None:
        self.folder = folder
        self.run_id = folder.state().run_id
        self._client = client
        self._config = config
        self._progress = progress
        self._answers = True

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        """Record one epoch."""
        from mlflow.entities import Metric

        self.folder.append_metrics({"epoch": step, **values})
        now = int(time.time() * 1000)
        batch = [Metric(name, value, now, step) for name, value in values.items()]
        self._send(lambda: self._client.log_batch(self.run_id, metrics=batch))

    def tags(self, values: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        tags = [RunTag(name, value) for name, value in values.items()]
        self._send(lambda: self._client.log_batch(self.run_id, tags=tags))

    def environment(self, values: Mapping[str, Any]) -> None:
        self.folder.environment.write_text(as_json(values))
        self.file(self.folder.environment)

    def file(self, path: Path) -> None:
        self._send(lambda: self._client.log_artifact(self.run_id, str(path)))

    def bundle(self, bundle: Bundle) -> None:
        """Log the sealed bundle as an MLflow model. Raises SkincliError: it must not be lost."""
        try:
            with store_errors(self._config):
                log_bundle(self._client, self.run_id, bundle)
        except SkincliError as error:
            raise SkincliError(
                f"the model is trained and sealed in `{bundle.folder}`, but was not logged: "
                f"{error.message}",
                f"evaluate it from there: `skincli evaluate {bundle.folder}`",
            ) from error

    def failure(self, text: str) -> None:
        """Keep the traceback of what ended the run."""
        with suppress(OSError):  # the disk may be what is full
            self.folder.failure.write_text(text)
            self.file(self.folder.failure)

    def end(self, status: Status) -> None:
        """Write the end down, here and in MLflow, even if it did not answer before."""
        self._answers = True
        with suppress(OSError):
            self.folder.set_status(status)
        self._send(lambda: self._client.set_terminated(self.run_id, status))

    def _send(self, call: Callable[[], object]) -> None:
        if not self._answers:
            return
        try:
            with store_errors(self._config):
                call()
        except SkincliError as error:
            self._answers = False
            self._progress.warn(
                f"{error.message}; training goes on, the run is kept in `{self.folder.path}`"
            )


@contextmanager
def recorded_run(
    config: Config,
    name: str,
    split_fingerprint: str,
    resumed: RunFolder | None,
    progress: Progress,
) -> Iterator[RunRecorder]:
    """Begin a run, or go on with `resumed`, and end it as what it was.

    FINISHED, FAILED on an error, KILLED on Ctrl-C or SIGTERM. Runs that a killed process left
    as RUNNING are ended first. Raises SkincliError when the store does not answer at the start.
    """
    client = connect(config.tracking)
    with store_errors(config.tracking):
        end_stale_runs(client, config.tracking)
        folder = resumed or _begin(client, config, name, split_fingerprint)
        _mark_as_ours(client, folder)
    recorder = RunRecorder(client, config.tracking, folder, progress)
    try:
        yield recorder
    except (Interrupted, KeyboardInterrupt):
        recorder.end("KILLED")
        raise
    except BaseException:
        recorder.failure(traceback.format_exc())
        recorder.end("FAILED")
        raise
    recorder.end("FINISHED")


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


def _begin(client: "MlflowClient", config: Config, name: str, split_fingerprint: str) -> RunFolder:
    from mlflow.entities import Param

    tags = {HOST_TAG: host_name(), PROCESS_TAG: process_token()}
    run = client.create_run(experiment_id(client, config.tracking), run_name=name, tags=tags)
    run_id = run.info.run_id
    folder = create_run_folder(
        Path(config.run.root), run_id, name, to_yaml(config), split_fingerprint
    )
    params = [Param(key, str(value)) for key, value in flatten(resolved_dict(config))]
    for start in range(0, len(params), _PARAMS_AT_ONCE):
        client.log_batch(run_id, params=params[start : start + _PARAMS_AT_ONCE])
    client.log_artifact(run_id, str(folder.config))
    return folder


def _mark_as_ours(client: "MlflowClient", folder: RunFolder) -> None:
    """The status comes last: a run that is RUNNING under a dead process's name is ended."""
    folder.set_status("RUNNING")
    run_id = folder.state().run_id
    client.set_tag(run_id, PROCESS_TAG, process_token())
    client.set_tag(run_id, HOST_TAG, host_name())
    client.update_run(run_id, status="RUNNING")

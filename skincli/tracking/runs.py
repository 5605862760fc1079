"""One owner of a run: it begins it, records it in its folder, and ends it whatever comes.

The folder is written first and is the truth. What the tracking store shows is a copy, which a
thread of its own brings there: see `sender`.
"""

import os
import shlex
import traceback
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from skincli.bundle import Bundle
from skincli.config.load import flatten, resolved_dict, to_yaml
from skincli.config.operating import NO_STORE, TrackingConfig
from skincli.config.schema import Config
from skincli.config.secrets import mask
from skincli.errors import Interrupted, SkincliError, Stopped
from skincli.progress import Progress
from skincli.tracking.processes import host_name, process_token
from skincli.tracking.run_folder import (
    RunFolder,
    RunKind,
    Status,
    as_json,
    create_run_folder,
    folder_errors,
)
from skincli.tracking.sender import Sender
from skincli.tracking.spool import Event, Kind, Spool, catch_up
from skincli.tracking.store import connect, require_lasting, store_errors
from skincli.tracking.stored_runs import HOST_TAG, PROCESS_TAG, RUN_TAG, create_run
from skincli.tracking.writing import flush_to_disk

# How long the end of a run waits for the store, and that of an interrupted or failed one.
FINISH_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0


class RunRecorder:
    """Writes to the run folder and returns; the sender, if there is a store, does the rest.

    Raises SkincliError when the folder cannot be written, and never for the store.
    """

    def __init__(self, config: TrackingConfig, folder: RunFolder, progress: Progress) -> None:
        self.folder = folder
        self.run_id = folder.state().run_id
        self._config = config
        self._progress = progress
        self._spool = Spool(folder.spool)
        self._sender: Sender | None = None
        self._newest = -1

    def begin(self, config: Config) -> None:
        """Mark the run as this process's, begun or gone on with, and start sending."""
        with folder_errors(self.folder.path):
            self.folder.set_status("RUNNING")
        tags = {RUN_TAG: self.run_id, HOST_TAG: host_name(), PROCESS_TAG: process_token()}
        # The status comes last: a run that is RUNNING under a dead process's name is ended.
        self.tags(tags)
        self._tell("status", {"status": "RUNNING"})
        if self._spool.last("params") is None:
            self._tell("params", {k: str(v) for k, v in flatten(resolved_dict(config))})
            self.file(self.folder.config)
        with folder_errors(self.folder.path):
            self._newest = catch_up(self.folder)
        if self._config.uri != NO_STORE:
            self._sender = Sender(self._config, self.folder, self._progress)
            self._sender.wake()

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        """Record one epoch. The store keeps the first figures of one that a resume repeats."""
        with folder_errors(self.folder.path):
            self.folder.append_metrics({"epoch": step, **values})
        if step > self._newest:  # MLflow would show both
            self._tell("metrics", {name: float(value) for name, value in values.items()}, step)
            self._newest = step

    def tags(self, values: Mapping[str, str]) -> None:
        self._tell("tags", values)

    def environment(self, values: Mapping[str, Any]) -> None:
        with folder_errors(self.folder.path):
            self.folder.environment.write_text(as_json(values))
        self.file(self.folder.environment)

    def file(self, path: Path) -> None:
        """Log a file as it will be when it is sent."""
        self._tell("artifact", {"path": self._inside(path)})

    def bundle(self, bundle: Bundle) -> None:
        """Log the sealed bundle as an MLflow model."""
        self._tell("bundle", {"path": self._inside(bundle.folder)})

    def failure(self, text: str) -> None:
        """Keep the traceback of what ended the run."""
        with suppress(OSError, SkincliError):  # the disk may be what is full
            self.folder.failure.write_text(text)
            self.file(self.folder.failure)

    def end(self, status: Status) -> None:
        """Write the end down and wait a bounded time until the store has it too."""
        with suppress(OSError):
            self.folder.set_status(status)
        with suppress(OSError, SkincliError):
            self._tell("status", {"status": status})
            flush_to_disk(self.folder.spool)
        if self._sender is None:
            return
        complete = False
        try:
            complete = self._sender.close(FINISH_SECONDS if status == "FINISHED" else STOP_SECONDS)
        finally:
            if not complete:
                self._tell_what_is_left(self._sender.trouble)

    def _tell(self, kind: Kind, values: Mapping[str, Any], step: int = 0) -> None:
        with folder_errors(self.folder.path):
            self._spool.append(Event(kind=kind, values=values, step=step))
        if self._sender is not None:
            self._sender.wake()

    def _inside(self, path: Path) -> str:
        """The path as it stays right when the run folder moves."""
        folder = self.folder.path
        return str(path.relative_to(folder) if path.is_relative_to(folder) else path.absolute())

    def _tell_what_is_left(self, trouble: str) -> None:
        # The store is named even where it is the default: another layer may say otherwise.
        words = [f"tracking.uri={mask(self._config.uri)}"]
        if self._config.experiment != TrackingConfig().experiment:
            words.append(f"tracking.experiment={self._config.experiment}")
        command = shlex.join(["skincli", "track", "publish", str(self.folder.path), *words])
        why = f" ({trouble})" if trouble else ""
        self._progress.warn(f"the tracking store has not got everything{why}: `{command}` sends it")


@contextmanager
def recorded_run(
    config: Config,
    name: str,
    split_fingerprint: str,
    resumed: RunFolder | None,
    progress: Progress,
    *,
    parent: str | None = None,
    kind: RunKind = "training",
) -> Iterator[RunRecorder]:
    """Begin a run, or go on with `resumed`, and end it as what it was.

    FINISHED, FAILED on an error, KILLED on Ctrl-C, SIGTERM or when its caller stopped it. Runs that
    a killed process left as RUNNING are ended. `parent` is the id of the run it belongs to.

    Raises ConfigError for a store that would not outlive this job; SkincliError when the store does
    not answer at the start of a new run: a wrong address is better said before the work than after
    it. From then on the store stops nothing, nor a run that belongs to one that it has answered
    for.
    """
    require_lasting(config.tracking, os.environ)
    folder = resumed or _new_folder(config, name, split_fingerprint, parent, kind)
    recorder = RunRecorder(config.tracking, folder, progress)
    try:
        recorder.begin(config)
        yield recorder
    except (Interrupted, KeyboardInterrupt, Stopped):
        recorder.end("KILLED")
        raise
    except BaseException:
        recorder.failure(traceback.format_exc())
        recorder.end("FAILED")
        raise
    recorder.end("FINISHED")


def _new_folder(
    config: Config, name: str, split: str, parent: str | None, kind: RunKind
) -> RunFolder:
    root = Path(config.run.root)
    run_id = _new_run_id(config.tracking, name, parent)
    with folder_errors(root):
        return create_run_folder(root, run_id, name, to_yaml(config), split, parent, kind)


def _new_run_id(config: TrackingConfig, name: str, parent: str | None) -> str:
    """The store's own id, so that it is known by one everywhere; made here without a store."""
    if config.uri == NO_STORE:
        return uuid.uuid4().hex
    try:
        client = connect(config)
        with store_errors(config):
            return str(create_run(client, config, name, {}, parent).info.run_id)
    except SkincliError:
        if parent is None:
            raise
        return uuid.uuid4().hex  # the sender tells of the outage, and of the run once it is over

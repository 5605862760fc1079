"""Bringing the spool of a run folder to the store, as far as it got and from there on.

An event may be sent twice, when the process ends between the store's answer and the note of it;
that changes nothing: metrics carry their own time and step, parameters are sent only where there
are none, tags, files and the status are what they were, and a bundle is one model by its digest.
"""

import fcntl
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import IO, TYPE_CHECKING

from skincli.bundle import open_bundle
from skincli.config.operating import TrackingConfig
from skincli.config.secrets import mask
from skincli.errors import ModelError, SkincliError, UsageError
from skincli.tracking.batches import BATCHED, groups, log_events, set_status
from skincli.tracking.models import log_bundle
from skincli.tracking.run_folder import RunFolder, folder_errors
from skincli.tracking.spool import Event, Spool
from skincli.tracking.store import absolute_uri, connect, store_errors
from skincli.tracking.stored_runs import (
    NO_SUCH_RUN,
    RUN_TAG,
    create_run,
    end_stale_runs,
    find_active_run,
)
from skincli.tracking.writing import write_atomically

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


@dataclass(slots=True)
class Cursor:
    """How far one store has been told: every event before `offset`, but for `files`.

    `run_id` is MLflow's own; `files` are kinds and paths that still have to be sent.
    """

    store: str
    run_id: str
    offset: int = 0
    files: list[list[str]] = field(default_factory=list)


class Delivery:
    """One run folder and one store. Only one process at a time delivers a folder."""

    def __init__(self, config: TrackingConfig, folder: RunFolder) -> None:
        self.sent = 0
        self.refused: list[str] = []
        self._config = config
        self._folder = folder
        self._spool = Spool(folder.spool)
        self._claim: IO[bytes] | None = None
        self._link: tuple[MlflowClient, Cursor] | None = None

    @property
    def run_id(self) -> str | None:
        """MLflow's id of the run, once the store has told it."""
        return self._link[1].run_id if self._link else None

    def claim(self) -> None:
        """Be the only one to deliver this folder. Raises UsageError when another process does."""
        if self._claim is not None:
            return
        stream = self._folder.spool.open("ab")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.close()
            raise UsageError(
                f"the run in `{self._folder.path}` is being sent by another process",
                "a run under way sends itself; wait for its end",
            ) from None
        except OSError:
            pass  # a file system without locks
        self._claim = stream

    def close(self) -> None:
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    def send(self, goes_on: Callable[[], bool]) -> None:
        """Send what the store has not got, as long as `goes_on` says so.

        Files that cannot be sent hold nothing else up. What the store would refuse for ever is
        passed over and named in `refused`. Raises SkincliError when something remains to be sent.
        """
        try:
            with store_errors(self._config):
                self.claim()
                client, cursor = self._link = self._link or self._connect()
                failure = self._send_events(client, cursor, goes_on)
                failure = failure or self._send_files(client, cursor, goes_on)
        except SkincliError:
            self._link = None
            raise
        if failure is not None:
            raise failure

    def _connect(self) -> "tuple[MlflowClient, Cursor]":
        """A client and where to go on: at the beginning in a store that is told the first time."""
        client = connect(self._config)
        end_stale_runs(client, self._config)
        kept = self._kept_cursor()
        state = self._folder.state()
        run = find_active_run(client, kept.run_id if kept else state.run_id)
        run = run or find_active_run(client, state.run_id)
        if run is None:
            tags = {RUN_TAG: state.run_id}
            run = create_run(client, self._config, state.name, tags, state.parent, state.started_ms)
        if kept is not None and kept.run_id == run.info.run_id:
            return client, kept
        return client, Cursor(self._store, run.info.run_id)

    @property
    def _store(self) -> str:
        return str(mask(absolute_uri(self._config)))

    def _kept_cursor(self) -> Cursor | None:
        with suppress(OSError, ValueError, TypeError):
            cursor = Cursor(**json.loads(self._folder.delivery.read_text()))
            return cursor if cursor.store == self._store else None
        return None

    def _save(self, cursor: Cursor) -> None:
        # Unlike this, the spool is not forced to the disk: where a lost machine cuts it, the offset
        # is no start of a line any more, and everything is sent again.
        with folder_errors(self._folder.path):
            write_atomically(self._folder.delivery, json.dumps(asdict(cursor)) + "\n")

    def _send_events(
        self, client: "MlflowClient", cursor: Cursor, goes_on: Callable[[], bool]
    ) -> SkincliError | None:
        failure = None
        for group, end in groups(self._spool.read(cursor.offset)):
            if not goes_on():
                break
            if group[0].kind in BATCHED:
                self._log(client, cursor.run_id, group)
                self.sent += len(group)
            elif group[0].kind == "status":
                failure = failure or self._send_files(client, cursor, goes_on)
                set_status(client, cursor.run_id, group[0])
                self.sent += 1
            else:
                file = [group[0].kind, str(group[0].values["path"])]
                cursor.files = [other for other in cursor.files if other != file] + [file]
            cursor.offset = end
            self._save(cursor)
        return failure

    def _log(self, client: "MlflowClient", run_id: str, group: Sequence[Event]) -> None:
        from mlflow.exceptions import MlflowException

        try:
            log_events(client, run_id, group)
        except MlflowException as error:
            if error.error_code not in NO_SUCH_RUN or find_active_run(client, run_id) is None:
                raise
            parts = _apart(group)
            if len(parts) == 1:
                self.refused.append(str(error).splitlines()[0])
            else:
                for event in parts:
                    self._log(client, run_id, [event])

    def _send_files(
        self, client: "MlflowClient", cursor: Cursor, goes_on: Callable[[], bool]
    ) -> SkincliError | None:
        """Send the files that are due. Returns why the first of those left could not be sent."""
        for file in list(cursor.files):
            if not goes_on():
                break
            try:
                with store_errors(self._config):
                    self._send_file(client, client.get_run(cursor.run_id), *file)
            except SkincliError as error:
                return error
            cursor.files.remove(file)
            self.sent += 1
            self._save(cursor)
        return None

    def _send_file(self, client: "MlflowClient", run: "Run", kind: str, path: str) -> None:
        target = self._folder.path / path
        if not target.exists():
            self.refused.append(f"`{target}` is there no more")
        elif kind == "artifact":
            client.log_artifact(run.info.run_id, str(target))
        else:
            try:
                bundle = open_bundle(target)
            except ModelError as error:
                self.refused.append(error.message)
            else:
                log_bundle(client, run, bundle)


def _apart(group: Sequence[Event]) -> list[Event]:
    """Each event, or each name of a single one: what is refused holds back nothing else."""
    if len(group) > 1:
        return list(group)
    [event] = group
    return [replace(event, values={name: value}) for name, value in event.values.items()]

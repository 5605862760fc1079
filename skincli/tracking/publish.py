"""The verb `track publish`: what the store has not got of a run, from the run's folder."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from skincli.config.schema import Config
from skincli.errors import UsageError
from skincli.progress import Progress
from skincli.tracking.delivery import Delivery
from skincli.tracking.finding import find_run_folder
from skincli.tracking.run_folder import RunFolder, Status, folder_errors
from skincli.tracking.spool import Event, Spool, catch_up
from skincli.tracking.store import require_store


@dataclass(frozen=True, slots=True)
class PublishResult:
    """`run_id` is the folder's own, `store_run_id` the one that the store knows the run by.

    `sent` counts the records that the store had not got; `has_model` is whether one was logged.
    """

    run_id: str
    store_run_id: str
    folder: Path
    status: Status
    sent: int
    has_model: bool


def publish(config: Config, run: str, progress: Progress) -> PublishResult:
    """Send what is missing of a run; a second time sends nothing.

    `run` is a run folder, a folder of runs, or the beginning of a run id. Raises ConfigError for
    `tracking.uri=none`, UsageError when there is no such run or another process sends it,
    SkincliError when the store does not take everything.
    """
    require_store(config.tracking)
    folder = find_run_folder(Path(config.run.root), run)
    if not folder.spool.is_file():
        raise UsageError(
            f"`{folder.path}` keeps no record to send",
            "it was made by an earlier skincli, which sent it as it ran",
        )
    delivery = Delivery(config.tracking, folder)
    try:
        delivery.claim()
        with folder_errors(folder.path):
            _write_down_the_end(folder)
        delivery.send(lambda: True)
        for reason in delivery.refused:
            progress.warn(f"the tracking store does not take this: {reason}")
        state = folder.state()
        return PublishResult(
            run_id=state.run_id,
            store_run_id=delivery.run_id or state.run_id,
            folder=folder.path,
            status=state.status,
            sent=delivery.sent,
            has_model=Spool(folder.spool).last("bundle") is not None,
        )
    finally:
        delivery.close()


def _write_down_the_end(folder: RunFolder) -> None:
    """What a process that was killed outright had no time for, as far as it can be known.

    Where neither its state nor the spool tells of an end, it was KILLED at its last record.
    """
    state, spool = folder.state(), Spool(folder.spool)
    if state.status == "RUNNING" and (state.alive or not state.here):
        return
    catch_up(folder)
    last = spool.last("status")
    told: Status = last.values["status"] if last else "RUNNING"
    end, time = state.status, state.ended_ms
    if end == "RUNNING":
        end = "KILLED" if told == "RUNNING" else told
        time = max((event.time for event, _ in spool.read(0)), default=time)
    if end != told:
        spool.append(Event(kind="status", values={"status": end}, time=time))
    if end != state.status:
        ended = datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="seconds")
        folder.write_state(replace(state, status=end, ended=ended))

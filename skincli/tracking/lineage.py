"""Where a model comes from, walked through the store: version, run, config, data, commit."""

from dataclasses import dataclass
from datetime import UTC, datetime

from skincli.config.operating import NO_STORE
from skincli.config.schema import Config
from skincli.tracking.history import Change, config_digest
from skincli.tracking.registry import ModelVersion, Registry, read_registry
from skincli.tracking.resolve import ResolvedModel, resolve
from skincli.tracking.store import connect, store_errors
from skincli.tracking.stored_runs import DATA_VERSION_TAG, find_run


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """The run that made or brought in the bundle, as the store knows it."""

    run_id: str
    name: str
    status: str
    started: str
    data_version: str | None


@dataclass(frozen=True, slots=True)
class ModelLineage:
    """The walk from a version down to the commit; data, config and commit are in `model.bundle`.

    `registered` is None for a model that is no version, `run` where the store has none.
    `config_sha256` stands for the training's config, `changes` are the moves of aliases to or from
    the version.
    """

    model: ResolvedModel
    registered: ModelVersion | None
    run: LoggedRun | None
    config_sha256: str
    changes: tuple[Change, ...]


def trace(config: Config, model: str) -> ModelLineage:
    """Walk the lineage of a model whose hashes are verified on the way. Raises ModelError."""
    found = resolve(config, model)
    version = found.version
    registry = read_registry(config) if version else Registry((), ())
    every = (entry.change for entry in registry.history)
    return ModelLineage(
        model=found,
        registered=registry.version(version) if version else None,
        run=_logged_run(config, found.run_id),
        config_sha256=config_digest(found.bundle.spec.lineage.config),
        changes=tuple(change for change in every if version in (change.before, change.after)),
    )


def _logged_run(config: Config, run_id: str | None) -> LoggedRun | None:
    if run_id is None or config.tracking.uri == NO_STORE:
        return None
    client = connect(config.tracking)
    with store_errors(config.tracking):
        run = find_run(client, run_id)
    if run is None:
        return None
    started = datetime.fromtimestamp(run.info.start_time / 1000, UTC)
    return LoggedRun(
        run_id=run.info.run_id,
        name=run.info.run_name,
        status=run.info.status,
        started=started.isoformat(timespec="seconds"),
        data_version=run.data.tags.get(DATA_VERSION_TAG),
    )

"""Versions of the registered model, and moving their aliases.

Aliases are MLflow's own; what skincli adds are the history (`history.py`) and tags on a version:
the bundle's digest, and the figures that it was judged by.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from skincli.bundle import Bundle
from skincli.config.load import resolved_dict
from skincli.config.schema import Config
from skincli.errors import ModelError, SkincliError
from skincli.tracking.history import (
    Action,
    Change,
    Entry,
    append_change,
    config_digest,
    create_model,
    let_alias_follow,
    newest,
    read_history,
)
from skincli.tracking.models import DIGEST_TAG, METRIC_TAG, metrics_of
from skincli.tracking.resolve import find_version, logged_model_id
from skincli.tracking.store import connect, store_errors
from skincli.tracking.stored_runs import find_run

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHALLENGER: Final = "challenger"
_MANY: Final = 10_000


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One registered version. `metrics` are those of the evaluation that it was judged by."""

    version: str
    aliases: tuple[str, ...]
    run_id: str | None
    digest: str | None
    created: str
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class Registry:
    """What the store held at one moment: versions, newest first, and history, oldest first."""

    versions: tuple[ModelVersion, ...]
    history: tuple[Entry, ...]

    def current(self, alias: str) -> ModelVersion | None:
        """The version that the alias points to, or will once a change that began is done."""
        last = newest(self.history, alias)
        if last is not None and not last.done:
            return self.version(last.change.after)
        return next((v for v in self.versions if alias in v.aliases), None)

    def version(self, number: str) -> ModelVersion | None:
        return next((v for v in self.versions if v.version == number), None)


def read_registry(config: Config) -> Registry:
    """Everything about `registry.name`, in three calls; empty when nothing is registered."""
    client = connect(config.tracking)
    name = config.registry.name
    with store_errors(config.tracking):
        records = client.search_model_versions(f"name='{name}'", max_results=_MANY)
        aliases = client.get_registered_model(name).aliases if records else {}
        history = read_history(client, name) if records else []
    versions = [_version(record, aliases) for record in records]
    newest_first = sorted(versions, key=lambda version: int(version.version), reverse=True)
    return Registry(tuple(newest_first), tuple(history))


def register(config: Config, model: str, bundle: Bundle, run_id: str | None) -> str:
    """The version number of a bundle, made if it is not registered yet. Raises ModelError."""
    client = connect(config.tracking)
    name = config.registry.name
    with store_errors(config.tracking):
        if model.startswith("models:/"):
            record = find_version(client, model)
            if record.name == name:
                client.set_model_version_tag(name, record.version, DIGEST_TAG, bundle.digest)
                return str(record.version)
        known = {v.digest: v.version for v in read_registry(config).versions}
        if bundle.digest in known:
            return known[bundle.digest]
        return _create_version(client, name, bundle, run_id)


def new_change(
    config: Config, registry: Registry, action: Action, after: str, **facts: Any
) -> Change:
    """A change by whoever runs this process, to follow the last one that `registry` knows.

    It moves `registry.alias`, or for a refusal or a challenge that of the challenger.
    """
    alias = CHALLENGER if action in ("refuse", "challenge") else config.registry.alias
    current, last = registry.current(alias), newest(registry.history, alias)
    return Change(
        alias=alias,
        action=action,
        before=current.version if current else None,
        after=after,
        follows=last.change.id if last else None,
        config_sha256=config_digest(resolved_dict(config)),
        **facts,
    )


def move_alias(config: Config, change: Change, metrics: Mapping[str, float]) -> None:
    """Write the change down, then point the alias at `change.after`.

    Raises SkincliError, and the alias stays, when another change came first.
    """
    client = connect(config.tracking)
    name = config.registry.name
    with store_errors(config.tracking):
        for key, value in metrics.items():
            client.set_model_version_tag(name, change.after, f"{METRIC_TAG}{key}", repr(value))
        append_change(client, name, change)
        entries = read_history(client, name)
        if change.id not in {entry.change.id for entry in entries}:
            raise _second(change, newest(entries, change.alias))
        let_alias_follow(client, name, change.alias)
        if change.action == "promote":
            _end_challenge(client, name, change.after)


def _end_challenge(client: "MlflowClient", name: str, version: str) -> None:
    """A version that became more is no challenger any longer."""
    if str(client.get_registered_model(name).aliases.get(CHALLENGER)) == version:
        client.delete_registered_model_alias(name, CHALLENGER)


def _second(change: Change, first: Entry | None) -> SkincliError:
    winner = f"{first.change.who} made it version {first.change.after}" if first else "it moved"
    return SkincliError(
        f"version {change.after} did not become {change.alias}: {winner} meanwhile",
        "run it again: the evidence is then weighed against that version",
    )


def _create_version(client: "MlflowClient", name: str, bundle: Bundle, run_id: str | None) -> str:
    run = find_run(client, run_id) if run_id else None
    if run is None:
        raise ModelError(
            f"the run of this bundle ({run_id}) is not in this tracking store",
            "`skincli models import` brings a bundle in, `skincli track publish RUN` a whole run",
        )
    model_id = logged_model_id(run)
    if run.data.tags.get(DIGEST_TAG) != bundle.digest:
        raise ModelError("this bundle is not the one that its run logged", "promote the run's id")
    create_model(client, name, "Classifiers of skin lesions. Research software.")
    version = client.create_model_version(
        name,
        f"models:/{model_id}",
        run_id=run.info.run_id,
        tags={DIGEST_TAG: bundle.digest},
        model_id=model_id,  # a server takes the source for a stranger's without
    )
    return str(version.version)


def _version(record: Any, aliases: Mapping[str, str]) -> ModelVersion:
    number = str(record.version)
    created = datetime.fromtimestamp(record.creation_timestamp / 1000, UTC)
    return ModelVersion(
        version=number,
        aliases=tuple(sorted(a for a, v in aliases.items() if str(v) == number)),
        run_id=record.run_id or None,
        digest=record.tags.get(DIGEST_TAG),
        created=created.isoformat(timespec="seconds"),
        metrics=metrics_of(record.tags),
    )

"""Versions of the registered model, their aliases, and the history of who moved them.

Aliases are MLflow's own; what skincli adds are tags: the bundle's digest and figures on a
version, and one entry per change of an alias on the registered model.
"""

import getpass
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.errors import ModelError
from skincli.tracking.models import DIGEST_TAG
from skincli.tracking.processes import host_name
from skincli.tracking.resolve import find_version, logged_model_id
from skincli.tracking.store import connect, store_errors
from skincli.tracking.stored_runs import find_run

if TYPE_CHECKING:
    from mlflow import MlflowClient

_HISTORY: Final = "skincli.history."
_METRIC: Final = "skincli.test_"


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One registered version. `metrics` are those of its evaluation when it was promoted."""

    version: str
    aliases: tuple[str, ...]
    run_id: str | None
    digest: str | None
    created: str
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class Change:
    """One move of an alias: who, when, from which version to which, and why."""

    alias: str
    action: Literal["promote", "rollback"]
    before: str | None
    after: str
    who: str
    when: str
    reason: str | None
    forced: bool


def list_versions(config: Config) -> list[ModelVersion]:
    """Every version of `registry.name`, newest first; empty when nothing is registered."""
    from mlflow.exceptions import MlflowException

    client = connect(config.tracking)
    name = config.registry.name
    with store_errors(config.tracking):
        try:
            aliases = client.get_registered_model(name).aliases
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return []
        records = client.search_model_versions(f"name='{name}'", max_results=1000)
    versions = [_version(record, aliases) for record in records]
    return sorted(versions, key=lambda version: int(version.version), reverse=True)


def current_version(config: Config) -> ModelVersion | None:
    """The version that the alias points to, or None."""
    alias = config.registry.alias
    return next((v for v in list_versions(config) if alias in v.aliases), None)


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
        known = {v.digest: v.version for v in list_versions(config)}
        if bundle.digest in known:
            return known[bundle.digest]
        return _create_version(client, name, bundle, run_id)


def move_alias(config: Config, change: Change, metrics: Mapping[str, float] | None = None) -> None:
    """Point the alias at `change.after`, and write the change down first."""
    client = connect(config.tracking)
    name = config.registry.name
    with store_errors(config.tracking):
        for key, value in (metrics or {}).items():
            client.set_model_version_tag(name, change.after, f"{_METRIC}{key}", repr(value))
        entry = f"{_HISTORY}{time.time_ns():020d}"
        client.set_registered_model_tag(name, entry, json.dumps(asdict(change)))
        client.set_registered_model_alias(name, change.alias, change.after)


def history(config: Config) -> list[Change]:
    """Every recorded move of the configured alias, oldest first."""
    from mlflow.exceptions import MlflowException

    client = connect(config.tracking)
    with store_errors(config.tracking):
        try:
            tags = client.get_registered_model(config.registry.name).tags
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return []
    entries = [Change(**json.loads(tags[key])) for key in sorted(tags) if key.startswith(_HISTORY)]
    return [change for change in entries if change.alias == config.registry.alias]


def new_change(
    config: Config,
    action: Literal["promote", "rollback"],
    before: str | None,
    after: str,
    *,
    reason: str | None = None,
    forced: bool = False,
) -> Change:
    """A change made now, by whoever runs this process."""
    who = f"{_user()}@{host_name()}"
    when = datetime.now(UTC).isoformat(timespec="seconds")
    return Change(config.registry.alias, action, before, after, who, when, reason, forced)


def _user() -> str:
    """The user's name, or the number where a container has no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _create_version(client: "MlflowClient", name: str, bundle: Bundle, run_id: str | None) -> str:
    from mlflow.exceptions import MlflowException

    run = find_run(client, run_id) if run_id else None
    if run is None:
        raise ModelError(
            f"the run of this bundle ({run_id}) is not in this tracking store",
            "promote it where it was trained, or send it here with `skincli track publish RUN`",
        )
    model_id = logged_model_id(run)
    if run.data.tags.get(DIGEST_TAG) != bundle.digest:
        raise ModelError("this bundle is not the one that its run logged", "promote the run's id")
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    version = client.create_model_version(
        name, f"models:/{model_id}", run_id=run.info.run_id, tags={DIGEST_TAG: bundle.digest}
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
        metrics={
            key.removeprefix(_METRIC): float(value)
            for key, value in record.tags.items()
            if key.startswith(_METRIC)
        },
    )

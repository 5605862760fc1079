"""The history of a registered model: who moved which alias where, on what evidence.

An alias of MLflow is written last by whoever comes last. So it is the history that decides, and
the alias follows: a change is first appended as a version of the registered model `NAME.history`,
whose numbers the store deals once each (they are part of a primary key). Every change names the
one that it follows, as its author saw it. Of two that follow the same one, the first in order
counts, wherever the two came from, and the author of the other is told. Nobody holds a lock, so
nobody who dies leaves one behind, and no evidence is used against another champion than it was
measured against.
"""

import getpass
import hashlib
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from skincli.tracking.processes import host_name

if TYPE_CHECKING:
    from mlflow import MlflowClient

Action = Literal["promote", "rollback", "refuse", "challenge"]

_CHANGE: Final = "skincli.change"
_DONE: Final = "skincli.done"
_MANY: Final = 10_000


def _author() -> str:
    """The user at the host; the user's number where a container has no name for it."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{host_name()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One move of an alias from version `before` to `after`, and why.

    `follows` is the id of the change before it. `refuse` makes the version a challenger that the
    gate kept from more, `challenge` one that was not put to the gate for more. `evidence` is what
    the gate measured; `config_sha256` stands for the whole config of the command, its policy
    included.
    """

    alias: str
    action: Action
    before: str | None
    after: str
    follows: str | None
    config_sha256: str
    reason: str | None = None
    forced: bool = False
    evidence: dict[str, Any] = field(default_factory=dict)
    who: str = field(default_factory=_author)
    when: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class Entry:
    """A change in its place. Not `done`: whoever made it stopped before the alias had moved."""

    number: int
    change: Change
    done: bool


def config_digest(resolved: Mapping[str, Any]) -> str:
    """The SHA-256 that stands for a whole config, given as plain containers."""
    return hashlib.sha256(json.dumps(resolved, sort_keys=True).encode()).hexdigest()


def read_history(client: "MlflowClient", name: str) -> list[Entry]:
    """The changes that counted, oldest first, of every alias of the registered model `name`."""
    records = client.search_model_versions(f"name='{_log_of(name)}'", max_results=_MANY)
    entries = [
        Entry(int(record.version), Change(**json.loads(record.tags[_CHANGE])), _DONE in record.tags)
        for record in records
        if _CHANGE in record.tags
    ]
    return _counted(sorted(entries, key=lambda entry: entry.number))


def newest(entries: Sequence[Entry], alias: str) -> Entry | None:
    """The last change of an alias, None where there is none."""
    return next((entry for entry in reversed(entries) if entry.change.alias == alias), None)


def append_change(client: "MlflowClient", name: str, change: Change) -> None:
    """Write a change down. Whether it counts, the history then says."""
    create_model(client, _log_of(name), f"What happened to the aliases of {name}. Kept by skincli.")
    client.create_model_version(
        _log_of(name), f"models:/{name}/{change.after}", tags={_CHANGE: json.dumps(asdict(change))}
    )


def let_alias_follow(client: "MlflowClient", name: str, alias: str) -> None:
    """Point the alias where its history says, again where that went on meanwhile.

    Whoever writes an alias looks at the history afterwards, so the last of several writers, however
    slow, leaves it right.
    """
    entry = newest(read_history(client, name), alias)
    while entry is not None:
        client.set_registered_model_alias(name, alias, entry.change.after)
        client.set_model_version_tag(_log_of(name), str(entry.number), _DONE, "true")
        later = newest(read_history(client, name), alias)
        entry = None if later is None or later.number == entry.number else later


def create_model(client: "MlflowClient", name: str, description: str) -> None:
    """Make a registered model unless there is one."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name, description=description)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _counted(entries: Sequence[Entry]) -> list[Entry]:
    """Without the changes that came second. Of a challenger every change counts."""
    counted: list[Entry] = []
    for entry in entries:
        before = newest(counted, entry.change.alias)
        if entry.change.action in ("refuse", "challenge") or entry.change.follows == (
            before.change.id if before else None
        ):
            counted.append(entry)
    return counted


def _log_of(name: str) -> str:
    return f"{name}.history"

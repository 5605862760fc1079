"""The verbs of `skincli keys`, and what holds before a server that asks for keys starts."""

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skincli.config.serving import ServeConfig, is_loopback
from skincli.errors import UsageError
from skincli.serving.keys.file import changing, keys_or_none
from skincli.serving.keys.key import NAME_PATTERN, ApiKey, new_key

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """A key as it is shown. `created` is a UTC time; `per_minute` as in `ApiKey`."""

    id: str
    name: str
    created: str
    per_minute: int | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyEntry":
        created = key.created.isoformat()
        return cls(id=key.id, name=key.name, created=created, per_minute=key.per_minute)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey(KeyEntry):
    """A key just made, with its secret, which is shown this once."""

    key: str


def create_key(file: Path, name: str, per_minute: int | None) -> NewKey:
    """Add a key. Raises UsageError for a name that is taken or cannot be one."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise UsageError(
            f"`{name}` cannot be the name of a key",
            "up to 64 letters, digits and the signs . _ @ -",
        )
    with changing(file) as keys:
        if any(key.name == name for key in keys):
            raise UsageError(
                f"there is a key `{name}` already",
                f"choose another name, or `skincli keys revoke {name}` first",
            )
        key, secret = new_key(name, per_minute)
        keys.append(key)
    shown = KeyEntry.of(key)
    return NewKey(id=shown.id, name=name, created=shown.created, per_minute=per_minute, key=secret)


def list_keys(file: Path) -> list[KeyEntry]:
    """The keys, oldest first. Raises UsageError for a file that cannot be trusted."""
    return [KeyEntry.of(key) for key in keys_or_none(file)]


def revoke_key(file: Path, called: str) -> KeyEntry:
    """Take away the key of that name, else of that id. Raises UsageError where there is none."""
    with changing(file) as keys:
        found = [key for key in keys if key.name == called] or [
            key for key in keys if key.id == called
        ]
        if not found:
            raise UsageError(f"there is no key `{called}`", "`skincli keys list` names them")
        keys.remove(found[0])
    return KeyEntry.of(found[0])


def require_keys(config: ServeConfig) -> None:
    """To be called before a server starts. Raises UsageError where no client could be let in."""
    if not config.asks_for_keys:
        if not is_loopback(config.host):
            _log.warning("Whoever reaches %s may ask: serve.keys.required=never", config.host)
        return
    if not keys_or_none(Path(config.keys.file)):
        raise UsageError(
            f"clients of {config.host} need a key, and `{config.keys.file}` holds none",
            "`skincli keys create NAME`, or serve.host=127.0.0.1 for this computer alone",
        )

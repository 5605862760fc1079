"""A key as it is kept: its hash and what it may do, never the secret itself."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

PREFIX: Final = "skincli_"  # by which scanners and people know a key that leaked
NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"
_SECRET_BYTES: Final = 32


class ApiKey(BaseModel):
    """A client's key. `per_minute` is its own limit on images: 0 is none, None the server's.

    A plain SHA-256 is enough: what was hashed are 256 random bits, which no dictionary holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    created: AwareDatetime
    per_minute: Annotated[int | None, Field(ge=0)] = None

    @property
    def id(self) -> str:
        """Eight hex digits by which people and logs may call the key."""
        return self.sha256[:8]


class KeyList(BaseModel):
    """The content of the file of keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    keys: tuple[ApiKey, ...] = ()

    @field_validator("keys")
    @classmethod
    def _distinct(cls, keys: tuple[ApiKey, ...]) -> tuple[ApiKey, ...]:
        for values in ([key.name for key in keys], [key.sha256 for key in keys]):
            if len(set(values)) < len(values):
                raise ValueError("two keys have one name or one hash")
        return keys


def new_key(name: str, per_minute: int | None) -> tuple[ApiKey, str]:
    """A key and its secret, which is kept nowhere: 256 bits from the system's generator."""
    secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    created = datetime.now(UTC).replace(microsecond=0)
    key = ApiKey(name=name, sha256=hash_of(secret), created=created, per_minute=per_minute)
    return key, secret


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def matching(keys: Iterable[ApiKey], secret: str) -> ApiKey | None:
    """The key whose secret it is. Every key is compared, so that time tells nothing."""
    offered, found = hash_of(secret), None
    for key in keys:
        if secrets.compare_digest(key.sha256, offered):
            found = key
    return found

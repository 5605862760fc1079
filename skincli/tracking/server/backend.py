"""What a tracking server stands on: its database, the place of its files, a folder of its own."""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from skincli.config.operating import TrackingConfig
from skincli.config.secrets import mask
from skincli.errors import UsageError
from skincli.tracking.store import artifact_folder, database_file, require_store

_POSTGRES: Final = "postgresql://"
_BUCKET: Final = "s3://"


@dataclass(frozen=True, slots=True)
class Backend:
    """`uri` is SQLAlchemy's and holds no secret; `database` is its file, None for PostgreSQL.

    `artifacts` is an absolute folder or `s3://BUCKET/PREFIX`. `home` holds state, log and users.
    """

    uri: str
    database: Path | None
    artifacts: str
    home: Path

    @property
    def bucket(self) -> str | None:
        """The name of the bucket, None where files are kept in a folder."""
        if not self.artifacts.startswith(_BUCKET):
            return None
        return self.artifacts.removeprefix(_BUCKET).partition("/")[0]

    @property
    def users(self) -> Path:
        """The database of users beside an SQLite store; PostgreSQL holds its own."""
        return self.home / "users.db"

    @property
    def users_uri(self) -> str:
        return f"sqlite:///{self.users}" if self.database else self.uri


def served_backend(config: TrackingConfig) -> Backend:
    """The store that a server is started on. Raises UsageError when the config names a server."""
    named = config.backend or config.uri
    if named.startswith(_POSTGRES):
        # Said out loud: what plain `postgresql://` means changed with SQLAlchemy 2.1.
        uri = f"postgresql+psycopg://{named.removeprefix(_POSTGRES)}"
        return Backend(uri, None, _place(str(config.artifacts)), _state_home(uri))
    local = replace(config, uri=named)
    require_store(local)
    database = database_file(local)
    if database is None:
        raise UsageError(
            f"`tracking.uri` names a server already: {mask(config.uri)}",
            "set tracking.backend=sqlite:///FILE to say which store to serve",
        )
    artifacts = _place(config.artifacts or str(artifact_folder(local)))
    return Backend(f"sqlite:///{database}", database, artifacts, database.parent / ".skincli")


def _place(artifacts: str) -> str:
    return artifacts if artifacts.startswith(_BUCKET) else str(Path(artifacts).absolute())


def _state_home(uri: str) -> Path:
    """One folder for each database of this user, whatever the working folder."""
    root = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(root) / "skincli" / f"track-{hashlib.sha256(uri.encode()).hexdigest()[:12]}"

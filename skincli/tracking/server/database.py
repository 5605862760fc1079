"""Whether a database can be served: reached, not locked, and of the tables that MLflow knows."""

import sqlite3
import sys
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from skincli.errors import SkincliError
from skincli.tracking.server.backend import Backend

_LOCK_SECONDS: Final = 5
_CONNECT_SECONDS: Final = 10


def require_database(backend: Backend) -> None:
    """Raises SkincliError when the database is locked, damaged, away or of another MLflow.

    One that is not there yet or has no tables is fine: the server makes them. MLflow itself tries
    for minutes to open a database that it cannot, and upgrades some old ones without a backup.
    """
    if backend.database is not None:
        if not backend.database.exists():
            return
        _require_unlocked(backend.database)
    found = schema_revision(backend)
    known = known_revisions()
    if found is None or found == known[0]:
        return
    if found in known:
        raise SkincliError(
            f"the tables of {backend.uri} are those of an older MLflow (revision {found})",
            "make a copy with `skincli track backup`, then upgrade them with "
            f"`{sys.executable} -m mlflow db upgrade {backend.uri}`",
        )
    raise SkincliError(
        f"the tables of {backend.uri} are those of a later MLflow (revision {found})",
        "install the MLflow that made them, or restore a backup from before",
    )


def schema_revision(backend: Backend) -> str | None:
    """The revision of MLflow's tables, None where there are none. Raises SkincliError."""
    from alembic.migration import MigrationContext
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError

    patience = {} if backend.database else {"connect_timeout": _CONNECT_SECONDS}
    engine = create_engine(backend.uri, connect_args=patience)
    try:
        with engine.connect() as connection:
            revision = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        raise SkincliError(
            f"the database {backend.uri} cannot be opened: {reason}", _mend(backend)
        ) from None
    finally:
        engine.dispose()
    return None if revision is None else str(revision)


def _mend(backend: Backend) -> str:
    if backend.database is not None:
        return "`skincli doctor` looks at it; tracking.backend names another"
    return "PGUSER and PGPASSWORD say who connects; `createdb NAME` makes the database"


def _require_unlocked(file: Path) -> None:
    try:
        with closing(sqlite3.connect(file, timeout=_LOCK_SECONDS)) as database:
            database.execute("begin immediate")
            database.rollback()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise SkincliError(f"`{file}` cannot be written: {error}") from None
        raise SkincliError(
            f"`{file}` is locked by another process", f"`fuser {file}` tells which; end it"
        ) from None
    except sqlite3.DatabaseError as error:
        raise SkincliError(
            f"`{file}` is damaged or no database: {error}",
            "restore a backup, or name another with tracking.uri",
        ) from None


def known_revisions() -> list[str]:
    """Every revision that the installed MLflow knows, newest first."""
    from alembic.script import ScriptDirectory

    mlflow = find_spec("mlflow")
    assert mlflow is not None
    assert mlflow.origin is not None
    scripts = ScriptDirectory(str(Path(mlflow.origin).parent / "store" / "db_migrations"))
    return [script.revision for script in scripts.walk_revisions()]

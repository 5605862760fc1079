"""The tracking store: a database file or a server. Reads it without MLflow."""

import sqlite3
from contextlib import closing
from pathlib import Path

from skincli.config.secrets import mask
from skincli.runner.checks import Check

_NAME = "tracking store"
_PATIENCE = 5.0


def tracking_store(uri: str) -> Check:
    """The state of the store at `uri`: `sqlite:///FILE` or an http(s) address."""
    if uri.startswith("sqlite:///"):
        return database(Path(uri.removeprefix("sqlite:///")))
    return server(uri)


def database(path: Path) -> Check:
    """Whether SQLite finds `path` whole, and which revision of MLflow's tables it holds."""
    if not path.exists():
        return Check(_NAME, "ok", f"no `{path}` yet: the first run makes it")
    try:
        link = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=1)
        with closing(link):
            (verdict,) = link.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                return _damaged(path, verdict)
            row = link.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        return _busy(path) if _is_busy(error) else _damaged(path, str(error))
    if row is None:
        return _damaged(path, "it names no revision of its tables")
    return Check(_NAME, "ok", f"`{path}` is whole, revision {row[0]}")


def server(address: str) -> Check:
    """Whether the MLflow server at `address` says that it is well."""
    import httpx

    shown = mask(address)
    mend = "start it with `skincli track start`, or name another store: `tracking.uri=URI`"
    try:
        answer = httpx.get(f"{address.rstrip('/')}/health", timeout=_PATIENCE)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Check(_NAME, "warning", f"`{shown}` does not answer ({mask(str(error))})", mend)
    if answer.status_code != httpx.codes.OK:
        return Check(_NAME, "warning", f"`{shown}` answers {answer.status_code} to /health", mend)
    return Check(_NAME, "ok", f"`{shown}` answers")


def _is_busy(error: sqlite3.DatabaseError) -> bool:
    """Whether another process is writing, or died while it wrote: SQLite mends the latter."""
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY)


def _busy(path: Path) -> Check:
    found = f"`{path}` is being written to, or was left in the middle of a write"
    mend = "look again later; the next command that writes to it undoes what was left half done"
    return Check(_NAME, "warning", found, mend)


def _damaged(path: Path, reason: str) -> Check:
    mend = f"move `{path}` away and restore a copy of it; a new one is made by the next run"
    return Check(_NAME, "failure", f"`{path}` is damaged or not MLflow's: {reason}", mend)

"""The verb `track backup`: the store's database and files, checked before they have a name."""

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from skincli.config.operating import TrackingConfig
from skincli.errors import SkincliError, UsageError
from skincli.progress import Progress
from skincli.tracking.hashing import hashes
from skincli.tracking.locking import exclusively
from skincli.tracking.server.backend import Backend, served_backend
from skincli.tracking.server.database import schema_revision
from skincli.tracking.writing import write_atomically

_ARTIFACTS: Final = "mlartifacts"
_DUMP: Final = "mlflow.dump"


@dataclass(frozen=True, slots=True)
class BackupResult:
    """`left` is the bucket whose files are not in the backup, None where they are."""

    folder: Path
    files: int
    bytes: int
    revision: str
    left: str | None


def backup(config: TrackingConfig, progress: Progress) -> BackupResult:
    """Write `tracking.backup_root/<UTC time>/`: database, users, files, and `backup.json` on them.

    The server and its clients may go on: the database is copied as it is at one moment, the files
    that it names after it. A bucket is left to its own versioning. Raises UsageError when there is
    nothing to copy, SkincliError when the copy cannot be made or is not whole: it is then removed.
    """
    backend = served_backend(config)
    if backend.database is not None and not backend.database.exists():
        raise UsageError(f"there is no `{backend.database}`", "name the store with tracking.uri")
    now = datetime.now(UTC)
    target = Path(config.backup_root).absolute() / f"{now:%Y%m%d-%H%M%S}"
    partial = target.parent / ".partial"
    busy, hint = "another command makes a backup in this folder already", "wait for its end"
    with exclusively(target.parent / ".lock", busy, hint):
        shutil.rmtree(partial, ignore_errors=True)  # of one that was killed
        try:
            partial.mkdir()
            result = _write(backend, partial, target, now, progress)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return result


def _write(
    backend: Backend, folder: Path, target: Path, now: datetime, progress: Progress
) -> BackupResult:
    with progress.step("Copying database and files", 2) as step:
        if backend.database is None:
            _dump(backend, folder / _DUMP)
        else:
            _copy_sqlite(backend.database, folder / backend.database.name)
            if backend.users.exists():
                _copy_sqlite(backend.users, folder / backend.users.name)
        step.advance()
        if backend.bucket is None and Path(backend.artifacts).is_dir():
            shutil.copytree(backend.artifacts, folder / _ARTIFACTS)
        step.advance()
    files = hashes(folder)
    revision = schema_revision(backend) or "none"
    about = {
        "created": now.isoformat(timespec="seconds"),
        "mlflow": version("mlflow"),
        "revision": revision,
        "database": backend.uri,
        "artifacts": backend.artifacts,
        "sha256": files,
    }
    write_atomically(folder / "backup.json", json.dumps(about, indent=1) + "\n")
    size = sum((folder / name).stat().st_size for name in files)
    left = backend.artifacts if backend.bucket else None
    return BackupResult(target, len(files), size, revision, left)


def _copy_sqlite(source: Path, copy: Path) -> None:
    """SQLite's own copy of a database that is in use."""
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(copy)) as new:
            old.backup(new)
            (verdict,) = new.execute("pragma quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise SkincliError(f"`{source}` cannot be copied: {error}") from None
    if verdict != "ok":
        raise SkincliError(f"`{source}` is damaged: {verdict}", "restore an earlier backup")


def _dump(backend: Backend, file: Path) -> None:
    uri = backend.uri.replace("postgresql+psycopg://", "postgresql://")
    _run("pg_dump", "--no-password", "--format=custom", f"--file={file}", f"--dbname={uri}")
    _run("pg_restore", f"--file={os.devnull}", str(file))


def _run(*command: str) -> None:
    program = command[0]
    if shutil.which(program) is None:
        raise UsageError(f"`{program}` is not installed", "it is in PostgreSQL's client package")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SkincliError(
            f"`{program}` failed: {done.stderr.strip().splitlines()[-1]}",
            "PGUSER and PGPASSWORD say who connects; it must not be older than the database",
        )

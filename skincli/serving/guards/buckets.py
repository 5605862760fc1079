"""A bucket of tokens per client, in a file that all processes of a server share.

The libraries looked at do not fit: `limits` shares between processes only through a server such as
Redis, and the SQLite bucket of `pyrate-limiter` writes a row per image and a table per client.
"""

import logging
import math
import sqlite3
import time
from pathlib import Path
from typing import Final

FILE: Final = "limits.db"
_WINDOW: Final = 60.0
_LOCK_SECONDS: Final = 0.25
_log: Final = logging.getLogger(__name__)

_CREATE: Final = """
    CREATE TABLE IF NOT EXISTS buckets (client TEXT PRIMARY KEY, full_at REAL NOT NULL)
    STRICT, WITHOUT ROWID
"""
# One statement, hence one transaction: two processes cannot both take the last token.
_TAKE: Final = """
    INSERT INTO buckets VALUES (:client, :now + :cost)
    ON CONFLICT DO UPDATE SET full_at = max(full_at, :now) + :cost
    WHERE max(full_at, :now) + :cost <= :now + :window
    RETURNING full_at
"""
_LOOK: Final = "SELECT full_at FROM buckets WHERE client = :client"
_SWEEP: Final = "DELETE FROM buckets WHERE full_at <= :now"


class Buckets:
    """Tokens by client: as many as a minute's images at the most, and refilled at that rate.

    Of a bucket only the time at which it will be full again is kept (the generic cell rate
    algorithm, ITU-T I.371); one that is full is as good as none, and swept away. Times are of the
    system's monotonic clock, one for all processes. A file that fails lets requests pass: it is the
    queue's bound that protects the service itself.
    """

    def __init__(self, folder: Path) -> None:
        self._file = sqlite3.connect(
            folder / FILE, timeout=_LOCK_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = OFF")  # nothing here outlives the server
        self._file.execute(_CREATE)
        self._swept = time.monotonic()
        self._failing = False

    def take(self, client: str, per_minute: int, images: int) -> int:
        """Take a token per image. 0 where they were there, else the seconds until they will be.

        `images` must not exceed `per_minute`, which no bucket could ever hold.
        """
        try:
            wait = self._take(client, time.monotonic(), _WINDOW * images / per_minute)
        except sqlite3.Error as error:
            if not self._failing:
                _log.warning("Limits per client are off for now: %s", error)
            self._failing = True
            return 0
        self._failing = False
        return wait

    def close(self) -> None:
        self._file.close()

    def _take(self, client: str, now: float, cost: float) -> int:
        self._sweep(now)
        values = {"client": client, "now": now, "cost": cost, "window": _WINDOW}
        if self._file.execute(_TAKE, values).fetchall():
            return 0
        row = self._file.execute(_LOOK, values).fetchone()
        full_at = float(row[0]) if row else now
        return max(math.ceil(full_at + cost - now - _WINDOW), 1)

    def _sweep(self, now: float) -> None:
        if now - self._swept > _WINDOW:
            self._swept = now
            self._file.execute(_SWEEP, {"now": now})

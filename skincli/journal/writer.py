"""Writing the journal beside the service: nothing here slows or fails an answer."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, create_engine, delete, event, insert, select
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from skincli.errors import SkincliError
from skincli.journal.entries import (
    Feedback,
    PredictionEntry,
    create_tables,
    feedback,
    predictions,
)

_WAITING_MOST: Final = 10_000
_TOGETHER_MOST: Final = 500
_BYTES_MOST: Final = 2**28
_PATIENCE_SECONDS: Final = 5.0
_TABLE_ATTEMPTS: Final = 4
_LINGER_SECONDS: Final = 0.5
_SWEEP_EVERY: Final = timedelta(hours=1)
_log = logging.getLogger(__name__)


class JournalWriter:
    """A database that predictions are written to, by a thread of its own.

    `lost` is told of predictions that found the queue full or the database away: they are answered
    all the same, and lost to the journal. Raises SkincliError when there can be no such database; a
    server that is away is asked again whenever there is something to write.
    """

    def __init__(self, uri: str, keep_days: int, lost: Callable[[int], None]) -> None:
        self._engine, self._has_tables = _open(uri)
        self._keep = timedelta(days=keep_days)
        self._swept = datetime.min
        self._waiting: queue.Queue[PredictionEntry | threading.Event | None] = queue.Queue(
            _WAITING_MOST
        )
        self._lost = lost
        self._counting = threading.Lock()
        self._bytes = 0  # of the images that wait
        self._thread = threading.Thread(target=self._write_all, name="journal", daemon=True)
        self._thread.start()

    def record(self, entry: PredictionEntry) -> None:
        """Take a prediction over; returns at once."""
        if not self._take(entry):
            self._lost(1)

    def give_feedback(self, found: Feedback) -> bool:
        """Write what was found; False when no such prediction is known. Raises SkincliError."""
        self._flush()
        try:
            with self._engine.begin() as connection:
                wanted = select(predictions.c.id).where(predictions.c.id == found.prediction_id)
                if connection.execute(wanted).first() is None:
                    return False
                connection.execute(insert(feedback), [asdict(found)])
        except SQLAlchemyError as error:
            raise SkincliError(f"the journal cannot be written: {_words(error)}") from None
        return True

    def close(self) -> None:
        """Write what waits, and end."""
        with suppress(queue.Full):  # of a database that hangs; the thread ends with the process
            self._waiting.put(None, timeout=_PATIENCE_SECONDS)
            self._thread.join(_PATIENCE_SECONDS)
        self._engine.dispose()

    def _take(self, entry: PredictionEntry) -> bool:
        size = len(entry.image or b"")
        with self._counting:
            if self._bytes + size > _BYTES_MOST or self._waiting.full():
                return False
            self._bytes += size
            self._waiting.put_nowait(entry)
        return True

    def _flush(self) -> None:
        """Wait until what is waiting now is written. Raises SkincliError when that takes long."""
        written = threading.Event()
        with suppress(queue.Full):
            self._waiting.put(written, timeout=_PATIENCE_SECONDS)
            if written.wait(_PATIENCE_SECONDS):
                return
        raise SkincliError("the journal does not keep up")

    def _write_all(self) -> None:
        ended = False
        while not ended:
            batch: list[PredictionEntry] = []
            flushed: list[threading.Event] = []
            ended = self._gather(batch, flushed)
            self._write(batch)
            for event_ in flushed:
                event_.set()

    def _gather(self, batch: list[PredictionEntry], flushed: list[threading.Event]) -> bool:
        """Fill `batch` until it is large, a moment passed or somebody waits; whether to end."""
        timeout: float | None = None
        while len(batch) < _TOGETHER_MOST and not flushed:
            try:
                item = self._waiting.get(timeout=timeout)
            except queue.Empty:
                return False
            if item is None:
                return True
            if isinstance(item, threading.Event):
                flushed.append(item)
            else:
                batch.append(item)
            timeout = _LINGER_SECONDS
        return False

    def _write(self, batch: Sequence[PredictionEntry]) -> None:
        if not batch:
            return
        try:
            if not self._has_tables:
                _make_tables(self._engine)
                self._has_tables = True
            with self._engine.begin() as connection:
                connection.execute(insert(predictions), [asdict(entry) for entry in batch])
        except Exception as error:  # nothing may end this thread
            self._lost(len(batch))
            _log.warning("journal: %s predictions lost: %s", len(batch), _words(error))
        finally:
            with self._counting:
                self._bytes -= sum(len(entry.image or b"") for entry in batch)
        self._sweep()

    def _sweep(self) -> None:
        now = datetime.now(UTC).replace(tzinfo=None)
        if now - self._swept < _SWEEP_EVERY:
            return
        self._swept = now
        old = select(predictions.c.id).where(predictions.c.time < now - self._keep)
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(feedback).where(feedback.c.prediction_id.in_(old)))
                connection.execute(delete(predictions).where(predictions.c.time < now - self._keep))
        except SQLAlchemyError as error:
            _log.warning("journal: what is too old stays for now: %s", _words(error))


def _open(uri: str) -> tuple[Engine, bool]:
    """The database, and whether its tables are there: a server may be away."""
    try:
        engine = create_engine(uri, pool_pre_ping=True, connect_args=_connect_args(uri))
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _settle_sqlite)
        return engine, _tables_made(engine)
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise SkincliError(
            f"the prediction journal cannot be opened: {_words(error)}",
            "set serve.journal.uri to sqlite:///FILE or postgresql+psycopg://HOST/DATABASE, or to "
            "none",
        ) from None


def _connect_args(uri: str) -> dict[str, int]:
    """PostgreSQL waits for minutes by default."""
    return {"connect_timeout": int(_PATIENCE_SECONDS)} if uri.startswith("postgresql") else {}


def _tables_made(engine: Engine) -> bool:
    try:
        _make_tables(engine)
    except OperationalError as error:
        if engine.dialect.name == "sqlite":
            raise
        _log.warning("journal: the database is away: %s", _words(error))
        return False
    return True


def _make_tables(engine: Engine) -> None:
    """Other workers may be making the same tables: then a further look finds them there."""
    for left in reversed(range(_TABLE_ATTEMPTS)):
        try:
            create_tables(engine)
            return
        except DBAPIError:
            if not left:
                raise


def _settle_sqlite(connection: Any, _: Any) -> None:
    """A log beside the file: a kill loses at most the last batch, and readers never wait."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")


def _words(error: Exception) -> str:
    """The first line, without SQLAlchemy's statement and its parameters."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]

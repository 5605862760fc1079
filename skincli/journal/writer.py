"""Writing the journal beside the service: nothing here slows or fails an answer."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, create_engine, delete, event, insert, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

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
_TABLE_ATTEMPTS: Final = 4
_LINGER_SECONDS: Final = 0.5
_SWEEP_EVERY: Final = timedelta(hours=1)
_log = logging.getLogger(__name__)


class JournalWriter:
    """A database that predictions are written to, by a thread of its own.

    `lost` is told of predictions that found the queue full or the database away: they are answered
    all the same, and lost to the journal. Raises SkincliError when the database cannot be opened.
    """

    def __init__(self, uri: str, keep_days: int, lost: Callable[[int], None]) -> None:
        self._engine = _open(uri)
        self._keep = timedelta(days=keep_days)
        self._swept = datetime.min
        self._waiting: queue.Queue[PredictionEntry | threading.Event | None] = queue.Queue(
            _WAITING_MOST
        )
        self._lost = lost
        self._thread = threading.Thread(target=self._write_all, name="journal", daemon=True)
        self._thread.start()

    def record(self, entry: PredictionEntry) -> None:
        """Take a prediction over; returns at once."""
        try:
            self._waiting.put_nowait(entry)
        except queue.Full:
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
        self._waiting.put(None)
        self._thread.join()
        self._engine.dispose()

    def _flush(self) -> None:
        """Wait until what is waiting now is written."""
        written = threading.Event()
        self._waiting.put(written)
        written.wait()

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
            with self._engine.begin() as connection:
                connection.execute(insert(predictions), [asdict(entry) for entry in batch])
            self._sweep()
        except SQLAlchemyError as error:
            self._lost(len(batch))
            _log.warning("journal: %s predictions lost: %s", len(batch), _words(error))

    def _sweep(self) -> None:
        now = datetime.now(UTC).replace(tzinfo=None)
        if now - self._swept < _SWEEP_EVERY:
            return
        self._swept = now
        old = select(predictions.c.id).where(predictions.c.time < now - self._keep)
        with self._engine.begin() as connection:
            connection.execute(delete(feedback).where(feedback.c.prediction_id.in_(old)))
            connection.execute(delete(predictions).where(predictions.c.time < now - self._keep))


def _open(uri: str) -> Engine:
    try:
        engine = create_engine(uri)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _settle_sqlite)
        _make_tables(engine)
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise SkincliError(
            f"the prediction journal cannot be opened: {_words(error)}",
            "set serve.journal.uri to sqlite:///FILE or postgresql+psycopg://HOST/DATABASE, or to "
            "none",
        ) from None
    return engine


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

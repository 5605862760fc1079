"""The journal on a real SQLite file: written beside, read by others, killed, filled, aged."""

import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from services import USER, postgres

from skincli.errors import SkincliError
from skincli.journal import Feedback, JournalWriter, PredictionEntry
from skincli.journal import writer as writing
from skincli.journal.statistics import ImageStatistics, statistics_of

NOW = datetime.now(UTC).replace(tzinfo=None)


def entry(number: int, time: datetime = NOW) -> PredictionEntry:
    return PredictionEntry(
        id=f"{number:032x}",
        time=time,
        model_name="m",
        model_version="3",
        bundle_digest="0" * 64,
        diagnosis="mel",
        probabilities={"mel": 0.75, "nv": 0.25},
        malignant_probability=0.75,
        malignant=True,
        conformal_set=("mel", "nv"),
        novelty=0.5,
        abstain_reason=None,
        brightness=120.0,
        contrast=30.0,
        sharpness=9.0,
        perceptual_hash="0" * 16,
    )


def never(predictions: int) -> None:
    raise AssertionError(f"{predictions} predictions were lost")


def rows(path: Path, what: str) -> list[tuple]:
    with sqlite3.connect(path) as connection:
        return connection.execute(what).fetchall()


def test_what_was_recorded_is_in_the_file_once_closed(tmp_path):
    path = tmp_path / "j.db"
    writer = JournalWriter(f"sqlite:///{path}", keep_days=30, lost=never)
    for number in range(1200):
        writer.record(entry(number))
    writer.close()
    assert rows(path, "select count(*), min(diagnosis), max(image) from predictions") == [
        (1200, "mel", None)
    ]


def test_feedback_joins_a_prediction_even_one_that_still_waits(tmp_path):
    path = tmp_path / "j.db"
    writer = JournalWriter(f"sqlite:///{path}", keep_days=30, lost=never)
    writer.record(entry(7))
    told = Feedback(prediction_id=entry(7).id, time=NOW, diagnosis="nv")
    assert writer.give_feedback(told)
    assert not writer.give_feedback(Feedback(prediction_id=entry(8).id, time=NOW, diagnosis="nv"))
    writer.close()
    joined = (
        "select p.diagnosis, f.diagnosis from predictions p join feedback f on prediction_id=id"
    )
    assert rows(path, joined) == [("mel", "nv")]


def test_what_is_older_than_its_time_is_deleted_with_its_feedback(tmp_path):
    path = tmp_path / "j.db"
    writer = JournalWriter(f"sqlite:///{path}", keep_days=3650, lost=never)
    writer.record(entry(1, NOW - timedelta(days=31)))
    writer.record(entry(2))
    assert writer.give_feedback(Feedback(prediction_id=entry(1).id, time=NOW, diagnosis="nv"))
    writer.close()
    writer = JournalWriter(f"sqlite:///{path}", keep_days=30, lost=never)
    writer.record(entry(3))
    writer.close()
    assert rows(path, "select id from predictions order by id") == [(entry(2).id,), (entry(3).id,)]
    assert rows(path, "select * from feedback") == []


def test_a_journal_that_fails_costs_nothing_but_its_lines(tmp_path):
    path = tmp_path / "j.db"
    lost: list[int] = []
    writer = JournalWriter(f"sqlite:///{path}", keep_days=30, lost=lost.append)
    writer.record(entry(1))
    writer.record(entry(1))  # the same id: this batch cannot be written
    writer.give_feedback(Feedback(prediction_id="0" * 32, time=NOW, diagnosis="nv"))
    assert lost == [2]
    writer.record(entry(2))
    writer.close()
    assert rows(path, "select id from predictions") == [(entry(2).id,)]


def test_a_kill_leaves_a_whole_file_with_all_but_the_last_moment(tmp_path):
    path = tmp_path / "j.db"
    program = (
        "import itertools, sys, time\n"
        f"sys.path[:0] = {[str(Path(__file__).parents[level]) for level in (0, 2)]!r}\n"
        "from test_writer import JournalWriter, entry, never\n"
        f"writer = JournalWriter('sqlite:///{path}', keep_days=30, lost=never)\n"
        "for number in itertools.count():\n"
        "    writer.record(entry(number))\n"
        "    print(number, flush=True)\n"
        "    time.sleep(0.001)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout
        seen = [process.stdout.readline() for _ in range(500)]
        time.sleep(1.5)
        process.send_signal(signal.SIGKILL)
        seen += process.stdout.readlines()
    assert rows(path, "pragma integrity_check") == [("ok",)]
    [(kept,)] = rows(path, "select count(*) from predictions")
    assert 500 <= kept <= len(seen)


def test_a_database_that_cannot_be_opened_is_named(tmp_path):
    for uri in (f"sqlite:///{tmp_path}/none/j.db", "nonsense://x", "no uri"):
        with pytest.raises(SkincliError, match="journal cannot be opened"):
            JournalWriter(uri, keep_days=1, lost=never)


def test_images_that_wait_are_bounded_by_their_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "_BYTES_MOST", 1000)
    lost: list[int] = []
    writer = JournalWriter(f"sqlite:///{tmp_path}/j.db", keep_days=30, lost=lost.append)
    writer.record(replace(entry(1), image=bytes(900)))
    writer.record(replace(entry(2), image=bytes(200)))
    writer.record(entry(3))
    assert lost == [1]
    writer.give_feedback(Feedback(prediction_id=entry(1).id, time=NOW, diagnosis="nv"))
    writer.record(replace(entry(4), image=bytes(900)))
    writer.close()
    assert rows(tmp_path / "j.db", "select id from predictions order by id") == [
        (entry(number).id,) for number in (1, 3, 4)
    ]


def test_a_database_server_that_is_away_costs_lines_and_is_asked_again():
    lost: list[int] = []
    away = "postgresql+psycopg://127.0.0.1:1/journal"
    writer = JournalWriter(away, keep_days=30, lost=lost.append)
    writer.record(entry(1))
    with pytest.raises(SkincliError, match="cannot be written"):
        writer.give_feedback(Feedback(prediction_id=entry(1).id, time=NOW, diagnosis="nv"))
    writer.close()
    assert lost == [1]


def test_postgresql_keeps_the_journal_as_well(monkeypatch):
    monkeypatch.setenv("PGUSER", USER)
    monkeypatch.setenv("PGPASSWORD", "secret")
    with postgres("secret") as service:
        service.run("createdb", "journal")
        uri = service.uri("journal").replace("postgresql", "postgresql+psycopg", 1)
        for number in (1, 2):  # the tables are there the second time
            writer = JournalWriter(uri, keep_days=30, lost=never)
            writer.record(entry(number))
            told = Feedback(prediction_id=entry(number).id, time=NOW, diagnosis="nv")
            assert writer.give_feedback(told)
            writer.close()


def test_statistics_of_an_image():
    flat = statistics_of(np.full((32, 32, 3), 90, dtype=np.uint8))
    assert flat == ImageStatistics(90.0, 0.0, 0.0, "0" * 16)
    board = np.repeat(((np.indices((32, 32)).sum(axis=0) % 2) * 10)[:, :, None], 3, axis=2)
    of_board = statistics_of(board.astype(np.uint8))
    assert (of_board.brightness, of_board.contrast) == (5, 5)
    assert of_board.sharpness == pytest.approx(40)
    falling = np.repeat(np.linspace(250, 0, 32, dtype=np.uint8)[None, :, None], 32, axis=0)
    assert statistics_of(np.repeat(falling, 3, axis=2)).perceptual_hash == "f" * 16

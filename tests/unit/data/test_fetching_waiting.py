"""Waiting between attempts, and ending what several threads are at."""

import threading
import time
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from standins.mirror import Mirror

from skincli.config.data import DownloadConfig
from skincli.crew import work_through
from skincli.data.download.transfer import RemoteFile, receive
from skincli.data.download.web import Stopped, open_web
from skincli.data.raw import ARCHIVES
from skincli.errors import DataError
from skincli.patience import Patience, seconds_asked

NAME = ARCHIVES[0]


def test_the_first_error_stops_all_that_is_under_way() -> None:
    stop, left = threading.Event(), []

    def work(item: int, held: int) -> None:
        if item == 2:
            raise DataError("the third fails")
        if stop.wait(10):
            left.append(held)

    with pytest.raises(DataError, match="the third fails"):
        work_through(range(9), 3, lambda item: nullcontext(item * 10), work, stop)
    assert sorted(left) == [0, 10]


def test_a_transfer_that_is_told_to_stop_writes_no_more(web: Mirror, tmp_path: Path) -> None:
    class Stopping:
        def advance(self, amount: int = 1, **facts: str) -> None:
            if amount:
                opened.stop.set()

    with open_web(DownloadConfig()) as opened:
        with pytest.raises(Stopped):
            receive(opened, RemoteFile(NAME, f"{web.url}/{NAME}"), tmp_path, Stopping())
        partial = tmp_path / f"{NAME}.partial"
        assert 0 < partial.stat().st_size < (web.folder / NAME).stat().st_size
        began = time.monotonic()
        with pytest.raises(Stopped):
            opened.pause(1, asked=60.0)
        assert time.monotonic() - began < 0.2


def test_waits_double_up_to_a_limit_and_never_undercut_the_server() -> None:
    patience = Patience(first=1.0, longest=8.0, longest_asked=100.0)
    for failures, longest in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (60, 8.0)):
        assert longest / 2 <= patience.seconds(failures) <= longest
    assert 30.0 <= patience.seconds(1, asked=30.0) <= 33.0
    assert 100.0 <= patience.seconds(1, asked=3600.0) <= 110.0


def test_retry_after_is_a_number_or_a_date() -> None:
    later = datetime.now(UTC) + timedelta(seconds=90)
    assert seconds_asked("120") == 120.0
    assert 80 < seconds_asked(format_datetime(later, usegmt=True)) <= 90
    assert seconds_asked("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert seconds_asked("soon") == seconds_asked("") == 0.0

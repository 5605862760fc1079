"""Steps that overlap in several threads, on a terminal and elsewhere."""

import io
import re
import threading
import time
from types import SimpleNamespace

import pytest
from rich.console import Console
from rich.text import Text

from skincli.cli import progress as shown
from skincli.cli.amounts import left
from skincli.cli.progress import PlainProgress, RichProgress
from skincli.progress import Progress


def work(progress: Progress, barrier: threading.Barrier, title: str) -> None:
    with progress.step(title, 2_000_000, "bytes") as step:
        barrier.wait(5)  # all steps are open at once
        step.advance(1_500_000, retrying="after a fault")
        step.advance(500_000, retrying="")
        time.sleep(0.25)  # bars are drawn ten times a second
        barrier.wait(5)


def run(progress: Progress, count: int) -> None:
    barrier = threading.Barrier(count)
    threads = [
        threading.Thread(target=work, args=(progress, barrier, f"part {n}")) for n in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_bars_of_several_threads_share_the_terminal() -> None:
    stream = io.StringIO()
    progress = RichProgress(Console(file=stream, force_terminal=True, width=160))
    for _ in range(2):  # the second round opens a display of its own
        run(progress, 3)
    text = stream.getvalue()
    for n in range(3):
        assert f"part {n}" in text
    assert "2.0/2.0 MB" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 2  # the cursor is given back


def test_bars_are_taken_down_when_the_work_fails() -> None:
    stream = io.StringIO()
    progress = RichProgress(Console(file=stream, force_terminal=True, width=160))
    with (
        pytest.raises(ValueError, match="broken"),
        progress.step("outer", 10),
        progress.step("inner", 0),
    ):
        raise ValueError("broken")
    text = stream.getvalue()
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1


def test_lines_tell_bytes_with_their_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "_SECONDS_BETWEEN_LINES", 0.0)
    stream = io.StringIO()
    progress = PlainProgress(Console(file=stream, width=200))
    run(progress, 3)
    lines = stream.getvalue().splitlines()
    for n in range(3):
        assert any(f"part {n}: 1.5/2.0 MB" in line for line in lines)
        assert any(line.startswith(f"part {n}: 2.0/2.0 MB, done in") for line in lines)
    assert any("MB/s, about 0 s left" in line for line in lines)
    assert any("retrying after a fault" in line for line in lines)
    assert not any("retrying" in line for line in lines if "2.0/2.0" in line)


def test_what_was_there_before_does_not_count_as_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(shown, "time", SimpleNamespace(monotonic=lambda: now[0]))
    stream = io.StringIO()
    progress = PlainProgress(Console(file=stream, width=200))
    with progress.step("resumed", 1_000_000_000, "bytes") as step:
        step.advance(900_000_000)
        now[0] = 10.0
        step.advance(20_000_000)
    assert "resumed: 920.0/1,000.0 MB, 2.00 MB/s, about 40 s left" in stream.getvalue()


def test_an_unknown_length_is_no_fraction() -> None:
    stream = io.StringIO()
    with PlainProgress(Console(file=stream, width=200)).step("Listing", 0) as step:
        step.advance(1234)
    assert "Listing: 1,234, done in" in stream.getvalue()


@pytest.mark.parametrize(("hours", "lines"), [(0.01, 120), (0.1, 40), (10, 10)])
def test_lines_of_long_work_become_rarer_but_never_stop(
    monkeypatch: pytest.MonkeyPatch, hours: float, lines: int
) -> None:
    now = [0.0]
    monkeypatch.setattr(shown, "time", SimpleNamespace(monotonic=lambda: now[0]))
    stream = io.StringIO()
    with PlainProgress(Console(file=stream, width=200)).step("work", 10**6) as step:
        now[0] = hours * 3600
        step.advance()
        before = len(stream.getvalue().splitlines())
        for _ in range(600):  # ten minutes
            now[0] += 1
            step.advance()
        told = len(stream.getvalue().splitlines()) - before
    assert lines / 4 <= told <= lines


def test_work_that_counts_tells_time_left_and_rates_in_words() -> None:
    stream = io.StringIO()
    progress = RichProgress(Console(file=stream, force_terminal=True, width=80, color_system=None))
    with progress.step("Training", 1000) as step:
        for _ in range(5):
            step.advance(20, epoch="1/30", loss="1.234", images_per_second="4,012")
            time.sleep(0.12)
    drawn = [line for line in stream.getvalue().split("\r") if "left" in line]
    assert "epoch 1/30  loss 1.234  4,012 images/s" in drawn[-1]
    assert re.search(r"\d+ s left", drawn[-1])


@pytest.mark.parametrize(
    ("seconds", "words"), [(90, "90 s left"), (600, "10 min left"), (9000, "2.5 h left")]
)
def test_time_left_is_told_in_the_unit_that_fits(seconds: float, words: str) -> None:
    assert left(seconds) == words


ROWS = (("device", "cpu [bold]"), ("classes", "mel  nv\n  1   2"))


def test_a_panel_is_framed_on_a_terminal_and_aligned_lines_elsewhere() -> None:
    framed, piped = io.StringIO(), io.StringIO()
    RichProgress(Console(file=framed, force_terminal=True, width=80, color_system=None)).panel(
        "Training [x]", ROWS
    )
    PlainProgress(Console(file=piped, width=80)).panel("Training [x]", ROWS)
    assert piped.getvalue().splitlines() == [
        "Training [x]",
        "  device   cpu [bold]",
        "  classes  mel  nv",
        "             1   2",
    ]
    inner = [line.strip("│ ") for line in framed.getvalue().splitlines()[1:-1]]
    assert [line.split() for line in inner] == [
        ["device", "cpu", "[bold]"],
        ["classes", "mel", "nv"],
        ["1", "2"],
    ]
    assert framed.getvalue().startswith("╭─ Training [x] ─")


def test_a_panel_folds_in_a_narrow_terminal() -> None:
    stream = io.StringIO()
    progress = RichProgress(Console(file=stream, force_terminal=True, width=40, soft_wrap=True))
    progress.panel("Training", (("results", "runs/" + "x" * 100),))
    lines = stream.getvalue().splitlines()
    assert max(len(Text.from_ansi(line)) for line in lines) <= 40
    assert sum(line.count("x") for line in lines) == 100

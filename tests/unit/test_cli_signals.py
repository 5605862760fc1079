"""A command that is told to end by a signal."""

import os
import signal

import pytest
import typer

from skincli.cli.session import session


@pytest.fixture
def hangup():
    """Set what a lost terminal does to this process, as a shell or `nohup` does."""
    before = signal.getsignal(signal.SIGHUP)
    yield lambda handler: signal.signal(signal.SIGHUP, handler)
    signal.signal(signal.SIGHUP, before)


def work(number, cleaned):
    with session([], None, False, False):
        try:
            os.kill(os.getpid(), number)
        finally:
            cleaned.append(number)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_work_that_is_told_to_end_cleans_up_and_says_so(hangup, capsys, number, code):
    hangup(signal.SIG_DFL)
    cleaned = []
    with pytest.raises(typer.Exit) as ended:
        work(number, cleaned)
    assert (ended.value.exit_code, cleaned) == (code, [number])
    assert "interrupted" in capsys.readouterr().err


def test_under_nohup_a_lost_terminal_ends_nothing(hangup):
    hangup(signal.SIG_IGN)
    with session([], None, False, False):
        os.kill(os.getpid(), signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN

"""Commands that are run to their end, or ended with all that they started."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from running import wait_for

from skincli.errors import Interrupted
from skincli.versioning.calling import call

# It starts another, tells both ids, and neither minds being told to stop.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), child.pid, file=sys.stderr, flush=True)
time.sleep(600)
"""


def gone(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_what_it_says_comes_line_by_line_and_bars_too(tmp_path):
    said = []
    code = r"import sys; sys.stderr.write('one\r\rtwo\nthree'); print('out'); sys.exit(3)"
    ended = call([sys.executable, "-c", code], tmp_path, os.environ, said.append)
    assert said == ["one", "two", "three"]
    assert (ended.code, ended.out, ended.err) == (3, "out\n", "one\ntwo\nthree")


def test_ctrl_c_ends_the_command_and_what_it_started(tmp_path, monkeypatch):
    monkeypatch.setattr("skincli.versioning.calling._GRACE", 0.3)
    processes: list[int] = []

    def interrupted(line: str) -> None:
        processes.extend(map(int, line.split()))
        raise Interrupted(signal.SIGINT)

    with pytest.raises(Interrupted):
        call([sys.executable, "-c", STUBBORN], tmp_path, os.environ, interrupted)
    assert len(processes) == 2
    wait_for(lambda: all(map(gone, processes)), "both have ended")


def test_much_output_blocks_nothing(tmp_path):
    code = "import sys; sys.stdout.write('x' * 3_000_000); sys.stderr.write('y' * 3_000_000)"
    done = []
    thread = threading.Thread(
        target=lambda: done.append(call([sys.executable, "-c", code], tmp_path, os.environ))
    )
    thread.start()
    thread.join(60)
    assert len(done[0].out) == len(done[0].err) == 3_000_000


def test_a_command_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="no-such-command"):
        call(["no-such-command"], tmp_path, os.environ)

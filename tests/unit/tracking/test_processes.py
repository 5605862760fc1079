import subprocess
import sys

from skincli.tracking.processes import is_alive, process_token


def test_a_process_is_alive_until_it_ends_and_its_number_alone_is_not_enough():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    token = process_token(child.pid)
    assert is_alive(token)
    assert not is_alive(f"{child.pid}:1")
    child.communicate(b"\n")
    assert not is_alive(token)


def test_rubbish_is_no_living_process():
    assert is_alive(process_token())
    for token in ("", "x:1", "1", "999999999:5", ":"):
        assert not is_alive(token)

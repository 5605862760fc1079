"""The log of a runner, and a shell in it."""

import os
import signal
import threading

import pytest

from skincli.errors import Interrupted, SkincliError, UsageError
from skincli.runner import lifecycle

NAME = "skincli-runner"


def stop(place, environ=None, force=False, **settings):
    config = place.config(**settings)
    return lifecycle.stop(config, environ or place.environ, place.notes, force=force)


def test_the_log_is_followed_to_its_end_and_masked(up):
    lines = []

    def write(line):
        lines.append(line)
        if "ready" in line:
            up.docker.play(cml="ends", code=0, log=["a TOKEN and ghp_0123456789abcdefABCDEF"])
            up.docker.run("crash", NAME)
            up.docker.run("stop", NAME)

    lifecycle.follow(up.config(), up.environ, write)
    assert "Launching github runner" in lines[0]
    assert "a *** and ***" in lines
    up.assert_token_stayed_secret(*lines)


def test_ctrl_c_ends_the_following_and_nothing_else(up):
    def interrupt(number, _):
        raise Interrupted(number)

    before = signal.signal(signal.SIGINT, interrupt)
    kill = threading.Timer(0.0, os.kill, (os.getpid(), signal.SIGINT))
    try:
        with pytest.raises(Interrupted):
            lifecycle.follow(up.config(), up.environ, lambda line: kill.is_alive() or kill.start())
    finally:
        kill.cancel()
        signal.signal(signal.SIGINT, before)
    assert up.docker.containers[NAME]["status"] == "running"


def test_the_log_of_nothing_is_an_error(place):
    with pytest.raises(UsageError, match="there is no container"):
        lifecycle.follow(place.config(), place.environ, print)


def test_a_shell_wants_a_container_that_runs(up):
    command = lifecycle.shell_command(up.config(), up.environ)
    assert command == ["docker", "exec", "-it", NAME, "bash"]
    stop(up)
    with pytest.raises(SkincliError, match="does not run"):
        lifecycle.shell_command(up.config(), up.environ)

"""The process that keeps a runner going after the command that started it has returned."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final

from skincli.errors import Interrupted, SkincliError
from skincli.progress import Silent
from skincli.runner.actions.setting import Setting
from skincli.runner.actions.state import Files
from skincli.runner.actions.supervisor import Supervisor
from skincli.runner.checks import Environ
from skincli.runner.github import GitHub

_LARGEST_LOG: Final = 8 << 20
# Python warns of a child that is forgotten while it runs, as these are meant to.
_outliving: list[subprocess.Popen[bytes]] = []


def spawn(setting: Setting, token: str, environ: Environ) -> subprocess.Popen[bytes]:
    """Start it in a session of its own, with its log as its output. It alone is told the token."""
    files = Files(setting.name)
    if files.log.exists():
        files.log.replace(files.old_log)  # why the last one ended
    with files.log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "skincli.runner.actions", setting.name],
            cwd=files.folder,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _outliving[:] = [*(each for each in _outliving if each.poll() is None), process]
    assert process.stdin is not None, "it was asked for"
    with suppress(BrokenPipeError), process.stdin as pipe:  # it ended: its log says why
        pipe.write(json.dumps({"setting": setting.as_json(), "token": token}).encode())
    return process


def run_detached() -> int:
    """What the process does. Returns its exit code: 0 after SIGTERM too, for it has cleaned up."""
    told = json.load(sys.stdin)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    setting = Setting.of_json(told["setting"])
    progress = Logged(Files(setting.name))
    try:
        handle_signals()
        github = GitHub(setting.api, setting.repository, told["token"])
        Supervisor(setting, github, os.environ, progress).run()
    except Interrupted:
        progress.note("stopped")
    except SkincliError as error:
        progress.warn(f"{error.message}; {error.hint}" if error.hint else error.message)
        return error.exit_code
    return 0


def handle_signals() -> None:
    """The first SIGTERM or SIGINT raises Interrupted where the work is, later ones do nothing."""
    told: list[int] = []

    def interrupt(number: int, _: FrameType | None) -> None:
        if not told:
            told.append(number)
            raise Interrupted(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt)


class Logged(Silent):
    """The log: a line for each note with its time. A log that grew large is put aside."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def note(self, message: str) -> None:
        shown = "".join(c if c.isprintable() else " " for c in message)
        with suppress(OSError):  # no room on the disk
            sys.stdout.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {shown}\n")
            sys.stdout.flush()
            if os.fstat(1).st_size > _LARGEST_LOG:
                self._put_aside()

    def _put_aside(self) -> None:
        self._files.log.replace(self._files.old_log)
        with self._files.log.open("ab") as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)

    def warn(self, message: str) -> None:
        self.note(f"warning: {message}")

"""DVC as a command: found, run, and its progress and complaints understood."""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skincli.errors import SkincliError, UsageError
from skincli.progress import Progress, Step
from skincli.versioning.calling import Ended, call
from skincli.versioning.complaints import complaint

INSTALL: Final = (
    "install it with `uv tool install 'dvc[s3]'` or `pipx install 'dvc[s3]'`, "
    "or name the command: versioning.dvc=COMMAND"
)
# Ours, and those of another environment's Python, would lead DVC's to the wrong packages.
_NOT_FOR_DVC: Final = ("PYTHONPATH", "PYTHONHOME")
# It reports nothing to anyone, and draws its bars although nobody looks.
_FOR_DVC: Final = {"DVC_NO_ANALYTICS": "1", "DVC_IGNORE_ISATTY": "1"}
_FILES: Final = re.compile(r"\|(?:Pushing to|Fetching from) .*?(\d+)/(\d+) \[.*files?/s\]")
_BYTES: Final = re.compile(r"([\d.]+[kMGT]?)/([\d.]+[kMGT]?) \[.*B/s\]")


@dataclass(frozen=True, slots=True)
class Dvc:
    """The command, and the folder that it works in."""

    command: str
    folder: Path

    @classmethod
    def found(cls, command: str, folder: Path) -> "Dvc":
        """Raises UsageError where there is no such command."""
        path = shutil.which(command)
        if path is None:
            raise UsageError(f"there is no `{command}` command", INSTALL)
        return cls(path, folder)

    def run(self, *words: str) -> str:
        """What it prints. Raises SkincliError in plain words when it fails."""
        ended = self.attempt(*words)
        if ended.code:
            raise complaint(words[0], ended)
        return ended.out

    def transfer(
        self, title: str, progress: Progress, *words: str, judge: Callable[[Ended], None]
    ) -> Ended:
        """Run a command that moves files, and show how far it is. `judge` raises if it failed."""
        with progress.step(title, 0) as step:
            bar = _Bar(step)
            ended = self.attempt(*words, on_line=bar.see)
            judge(ended)
            bar.finish()
        return ended

    def attempt(self, *words: str, on_line: Callable[[str], None] = lambda _: None) -> Ended:
        """Run it, whatever comes of it. Raises SkincliError when it cannot be started."""
        environ = {k: v for k, v in os.environ.items() if k not in _NOT_FOR_DVC} | _FOR_DVC
        try:
            return call([self.command, *words], self.folder, environ, on_line)
        except OSError as error:
            reason = f"`{self.command}` cannot be run: {error.strerror}"
            raise SkincliError(reason, INSTALL) from None


class _Bar:
    """DVC's bars as steps of ours: files that are done, and how far the present one is."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._done = self._total = 0

    def see(self, line: str) -> None:
        files, size = _FILES.search(line), _BYTES.search(line)
        if files is not None:
            done, self._total = map(int, files.groups())
            # Lists of files are counted before the files, from nothing each.
            self._step.advance(max(done - self._done, 0), of=f"{self._total:,} files")
            self._done = done
        elif size is not None:
            self._step.advance(0, file="/".join(size.groups()))

    def finish(self) -> None:
        """The last bars come before the last files."""
        self._step.advance(self._total - self._done, of="", file="")

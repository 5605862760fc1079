"""The git repository around the working folder."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from skincli.errors import SkincliError, UsageError
from skincli.versioning.calling import Ended


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository by the folder at its top."""

    root: Path

    @classmethod
    def around(cls, folder: Path) -> "Repository":
        """Raises UsageError where there is no git, or no repository."""
        try:
            ended = _git(folder, "rev-parse", "--show-toplevel")
        except OSError:
            raise UsageError("there is no `git` command", "install git") from None
        if ended.code:
            raise UsageError(
                f"`{folder}` is in no git repository: {_last_line(ended)}",
                "run `git init` here, or work in a repository",
            )
        return cls(Path(ended.out.rstrip("\n")))

    def holds(self, path: Path) -> bool:
        """Whether `path` lies in it, or a link of that name, whatever it leads to."""
        path = Path(os.path.normpath(path.absolute()))
        return (path.parent.resolve() / path.name).is_relative_to(self.root.resolve())

    def ignores(self, path: Path) -> bool:
        """Whether git would not take `path`, which need not be there."""
        return _git(self.root, "check-ignore", "--quiet", str(path)).code == 0

    def tracks(self, path: Path) -> bool:
        """Whether git keeps `path` or something below it."""
        return bool(self._run("ls-files", "--", str(path)))

    def changed(self, paths: Sequence[Path]) -> list[str]:
        """Those of `paths` that are not as in the last commit, as git lists them."""
        listed = self._run("status", "--porcelain", "-z", "--", *map(str, paths))
        return [entry[3:] for entry in listed.split("\0") if entry]

    def had(self, file: Path, text: str) -> bool:
        """Whether a commit of any branch brought `text` into `file` or took it out."""
        words = ("log", "--all", "--max-count=1", "--format=%H", f"-S{text}", "--", str(file))
        return bool(_git(self.root, *words).out)

    def stage(self, paths: Sequence[Path]) -> None:
        self._run("add", "--", *map(str, paths))

    def commit(self, paths: Sequence[Path], message: str) -> str:
        """Commit `paths` and nothing else. The new commit."""
        self._run("commit", "--quiet", "--message", message, "--", *map(str, paths))
        return self._run("rev-parse", "HEAD").strip()

    def _run(self, *words: str) -> str:
        ended = _git(self.root, *words)
        if ended.code:
            raise SkincliError(
                f"`git {words[0]}` failed: {_last_line(ended)}", "mend what git reports"
            )
        return ended.out


def _git(folder: Path, *words: str) -> Ended:
    """In this process's own session: to sign a commit, git may have to ask on the terminal."""
    done = subprocess.run(
        ["git", *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def _last_line(ended: Ended) -> str:
    lines = (ended.err or ended.out).strip().splitlines()
    return lines[-1].removeprefix("fatal: ") if lines else f"exit code {ended.code}"

"""What git tells of the repository that the workflows are for."""

import re
import tomllib
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from skincli import __version__
from skincli.config.automation import RunnerConfig
from skincli.errors import UsageError
from skincli.runner.ask import ask
from skincli.runner.checks import Environ
from skincli.runner.repository import find_repository
from skincli.runner.workflows.render import Repository

# Git allows more in a branch's name; these need no quotes in YAML, bash or an expression.
_BRANCH: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


def find_root(folder: Path, environ: Environ) -> Path:
    """The top folder of the git repository that `folder` is in. Raises UsageError."""
    answer = ask(["git", "-C", str(folder), "rev-parse", "--show-toplevel"], environ)
    if not answer.ok:
        raise UsageError(
            f"`{folder}` is in no git repository ({answer.complaint})",
            "go to the repository's folder, or begin one with `git init`",
        )
    return Path(answer.out.rstrip("\n"))


def describe(root: Path, config: RunnerConfig, environ: Environ) -> Repository:
    """What the workflows of the repository at `root` have to know. Raises UsageError."""
    remote = config.repo or _git(root, environ, "remote", "get-url", "origin")
    check, url = find_repository(remote, environ)
    if url is None:
        raise UsageError(check.found if remote else "git has no origin here", check.mend)
    return Repository(
        name=urlsplit(url).path.strip("/"),
        branch=_branch(root, environ),
        labels=tuple(config.labels.split(",")),
        version=None if _is_skincli(root) else __version__,
    )


def _git(root: Path, environ: Environ, *words: str) -> str:
    """What git answers, nothing where it does not know."""
    answer = ask(["git", "-C", str(root), *words], environ)
    return answer.out.strip() if answer.ok else ""


def _is_skincli(root: Path) -> bool:
    """Whether this is skincli's own source, which is then what the workflows install."""
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text())
    except (OSError, ValueError):
        return False
    return bool(project.get("project", {}).get("name") == "skincli")


def _branch(root: Path, environ: Environ) -> str:
    """The default branch: origin's if git knows it, else main or master, else the current one."""
    found = _git(root, environ, "symbolic-ref", "--short", "refs/remotes/origin/HEAD")
    found = found.removeprefix("origin/")
    for usual in ("main", "master"):
        name = ("for-each-ref", "--format=%(refname:short)", f"refs/heads/{usual}")
        found = found or _git(root, environ, *name)
    found = found or _git(root, environ, "symbolic-ref", "--short", "HEAD")
    if not _BRANCH.fullmatch(found):
        raise UsageError(
            f"the default branch cannot be told: git answers `{found}`",
            "`git remote set-head origin --auto` lets git know it",
        )
    return found

"""The working folder: its data set and its versions, its repository, docker to run it with."""

import json
from pathlib import Path

from skincli.runner.ask import ask
from skincli.runner.checks import Check, Environ, docker_client, docker_engine
from skincli.versioning.dvc import INSTALL


def data_set(folder: Path) -> list[Check]:
    """Whether the data set under `folder` was fetched and prepared."""
    source = folder / "raw" / "source.json"
    manifests = sorted(
        path
        for path in folder.glob("prepared/*/manifest.json")
        if not path.parent.name.endswith(".partial")
    )
    return [
        _files("images", [source] if source.exists() else [], folder, "skincli data fetch"),
        _files("prepared images", manifests, folder, "skincli data prepare"),
    ]


def docker(environ: Environ) -> list[Check]:
    """Docker, which only containers and `skincli runner-setup` want."""
    client = docker_client(environ).lenient()
    return [client, docker_engine(environ).lenient()] if client.ok else [client]


def data_versions(command: str, environ: Environ) -> Check:
    """DVC, which only `skincli data version` and its neighbours want."""
    answer = ask([command, "--version"], environ)
    if answer.ok:
        return Check("DVC", "ok", f"version {answer.out.strip()}")
    return Check("DVC", "warning", answer.complaint, INSTALL)


def repository(environ: Environ) -> Check:
    """The commit that a run would be recorded with."""
    status = ask(["git", "status", "--porcelain"], environ)
    if not status.ok:
        mend = "install git, and run `git init` here, so that runs record the code they ran with"
        return Check("git", "warning", status.complaint, mend)
    head = ask(["git", "rev-parse", "--short", "HEAD"], environ)
    if not head.ok:
        return Check("git", "warning", "no commit yet", "commit, so that runs record a commit")
    changes = len(status.out.splitlines())
    if changes:
        found = f"commit {head.out.strip()} and {changes} uncommitted changes"
        mend = "commit before a run that has to be repeatable"
        return Check("git", "warning", found, mend)
    return Check("git", "ok", f"commit {head.out.strip()}, nothing uncommitted")


def _files(name: str, files: list[Path], folder: Path, command: str) -> Check:
    """Whether `files`, which `command` writes last of all, are there and hold JSON."""
    if not files:
        return Check(name, "warning", f"none in `{folder}`", f"run `{command}`")
    for path in files:
        try:
            json.loads(path.read_bytes())
        except (OSError, ValueError):
            return Check(name, "warning", f"`{path}` cannot be read", f"run `{command}` again")
    return Check(name, "ok", ", ".join(f"`{path.parent}`" for path in files))

"""Git repositories of the tests' own, with drawn data to be versioned by a real DVC."""

import copy
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from pathlib import Path

import pytest

from skincli.config.schema import Config
from skincli.data.storage import SetFolder

# What a person's own settings, or those of the machine, would change.
ALONE = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
NAMED = {"user.name": "A Tester", "user.email": "tester@example.org"}


@contextmanager
def alone(scratch: Path) -> Iterator[None]:
    """Git, DVC and S3 know nothing of this machine, in child processes too."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ALONE.items():
            patch.setenv(name, value)
        for name in ("DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR", "DVC_SITE_CACHE_DIR"):
            patch.setenv(name, str(scratch / name.lower()))
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, str(scratch / "there-is-none"))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        yield


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def new_repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    for key, value in NAMED.items():
        git(folder, "config", key, value)
    return folder


def clone(source: Path, target: Path) -> Path:
    """Another person's clone, which has the pointers and nothing else."""
    git(source, "clone", "--quiet", str(source), str(target))
    for key, value in NAMED.items():
        git(target, "config", key, value)
    return target


def drawn_config(drawn: Config, dvc: str) -> Config:
    """The settings of the drawn data, in the folder `data` of whatever folder one works in."""
    config = copy.deepcopy(drawn)
    config.data.root = "data"
    config.versioning.dvc = dvc
    config.tracking.uri = "none"
    return config


def bring_raw(drawn: Config, repository: Path) -> None:
    raw = SetFolder.of(drawn.data).raw
    shutil.copytree(raw, repository / "data" / raw.parent.name / "raw")


def objects(store: Path) -> list[Path]:
    """The whole objects of a cache or a remote."""
    return sorted(path for path in store.glob("files/md5/??/*") if path.is_file())


def damaged(store: Path) -> list[str]:
    """The objects whose bytes are not those that their names promise."""
    return [path.name for path in objects(store) if _md5(path) != _name(path)]


def _name(path: Path) -> str:
    return path.parent.name + path.name.removesuffix(".dir")


def _md5(path: Path) -> str:
    return md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def status_of(dvc: str, folder: Path, *targets: str) -> str:
    """What `dvc status` says; nothing where all is as it should be."""
    command = [dvc, "status", "--json", *targets]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return "" if done.stdout.strip() == "{}" else done.stdout

"""Versions of the data in a bucket: a real DVC against a real S3 service on loopback."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import chdir, suppress
from pathlib import Path

import pytest
from commands import skincli, spawn
from repositories import (
    alone,
    bring_raw,
    clone,
    damaged,
    drawn_config,
    git,
    new_repository,
    objects,
)
from running import wait_for
from services import bucket_service, free_port

from skincli.config.schema import Config
from skincli.data import prepare
from skincli.errors import SkincliError
from skincli.progress import Silent
from skincli.versioning.making import version
from skincli.versioning.remote import set_remote
from skincli.versioning.status import status
from skincli.versioning.transfer import pull, push

KEY, SECRET = "AKIATESTKEY", "a-secret-that-nobody-may-keep"


@pytest.fixture(scope="module")
def origin(
    synthetic_config: Config, dvc: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A repository with one version, which was pushed to a folder. Shared: nobody works in it."""
    root = tmp_path_factory.mktemp("bucket")
    config = drawn_config(synthetic_config, dvc)
    bring_raw(synthetic_config, new_repository(root / "origin"))
    with alone(root), chdir(root / "origin"):
        set_remote(config, "../store", None, None)
        version(config, "The first version", Silent())
        yield root / "origin"


@pytest.fixture
def config(synthetic_config: Config, dvc: str) -> Config:
    return drawn_config(synthetic_config, dvc)


@pytest.fixture
def place(origin: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of it with all that is in it."""
    shutil.copytree(origin, tmp_path / "own")
    with chdir(tmp_path / "own"):
        yield tmp_path / "own"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of the service, and the folder that its one bucket is."""
    folder = tmp_path_factory.mktemp("buckets")
    (folder / "lesions").mkdir()
    with bucket_service(folder, KEY, SECRET) as address:
        yield address, folder / "lesions"


@pytest.fixture
def bucket(service: tuple[str, Path], tmp_path: Path) -> tuple[str, str, Path]:
    """The address, the URL of an empty place in the bucket, and its folder."""
    address, folder = service
    return address, f"s3://lesions/{tmp_path.name}", folder / tmp_path.name


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


def test_moving_to_a_bucket_touches_one_file_and_keeps_no_secret(
    place, config, bucket, key, tmp_path
):
    address, url, folder = bucket
    set_remote(config, url, address, "us-east-1")
    assert git(place, "status", "--porcelain") == "M  .dvc/config\n"
    git(place, "commit", "--quiet", "--all", "--message", "A bucket")
    assert push(config, Silent()).files == len(objects(folder)) > 10
    assert damaged(folder) == []
    assert status(config, Silent()).unpushed == ()
    with chdir(clone(place, tmp_path / "clone")):
        pull(config, Silent())
        assert not prepare(config, Silent()).created
    for kept in (path for path in place.rglob("*") if path.is_file()):
        assert SECRET.encode() not in kept.read_bytes()


@pytest.mark.parametrize(
    ("what", "words", "code"),
    [
        ("no credentials", "asks for credentials, and there are none", 2),
        ("another secret", "refuses the credentials", 2),
        ("no bucket", "no such bucket", 2),
        pytest.param("no service", "does not answer", 1, marks=pytest.mark.slow),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(
    place, config, bucket, key, monkeypatch, what, words, code
):
    address, url, folder = bucket
    if what == "no credentials":
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    elif what == "another secret":
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    elif what == "no bucket":
        url = "s3://nobody-made-this/versions"
    else:
        address = f"http://127.0.0.1:{free_port()}"
    point_to(place, url, address)
    with pytest.raises(SkincliError, match=words) as told:
        push(config, Silent())
    assert told.value.exit_code == code
    assert told.value.hint
    assert SECRET not in told.value.message + told.value.hint
    assert objects(folder) == []


def test_a_push_that_was_cut_off_goes_on(place, config, bucket, key, dvc):
    address, url, folder = bucket
    for number in range(40):
        (place / f"data/synthetic/raw/more-{number}.bin").write_bytes(os.urandom(3_000_000))
    point_to(place, url, address)
    version(config, None, Silent())
    settings = ["data.parts.seed=409", "data.image_size=32", "data.synthetic.lesions=120"]
    words = ["data", "push", "data=synthetic", *settings]
    process = spawn(place, *words, SKINCLI__VERSIONING__DVC=dvc)
    wait_for(lambda: len(objects(folder)) > 3 or process.poll() is not None, "the first objects")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert _at_work_in(place) == []
    wait_for(lambda: damaged(folder) == [], "the service dropped what it did not get whole")
    there = len(objects(folder))
    done = skincli(place, *words, "--json", SKINCLI__VERSIONING__DVC=dvc)
    sent = done.data["files"]
    total = len(objects(place / ".dvc" / "cache")) - 1  # the list of the first version's raw files
    assert 0 < sent == total - there < total
    assert len(objects(folder)) == total
    assert damaged(folder) == []


def point_to(place: Path, url: str, address: str) -> None:
    """What `set_remote` has DVC write, which takes it seconds."""
    settings = place / ".dvc" / "config"
    lines = f"url = {url}\n    endpointurl = {address}\n    region = us-east-1"
    settings.write_text(settings.read_text().replace("url = ../../store", lines))


def _at_work_in(folder: Path) -> list[str]:
    """The processes whose working folder it is."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append((process / "cmdline").read_text())
    return [each for each in found if "dvc" in each]

"""Ctrl-C and kill -9 in the middle of a download, and the same command once more."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import skincli, spawn
from standins.dataverse import Dataverse
from standins.faults import answers, stall
from standins.isic import Isic, Lesion

from skincli.data.raw import ARCHIVES, FILES, METADATA

NAME = ARCHIVES[0]


def until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def words_for(dataverse: Dataverse) -> list[str]:
    return ["data", "fetch", f"data.download.dataverse={dataverse.url}", "data.root=sets"]


def assert_finished(dataverse: Dataverse, folder: Path) -> None:
    raw = folder / "sets" / "ham10000" / "raw"
    assert {path.name for path in raw.iterdir()} == {*FILES, "source.json"}
    for name in FILES:
        assert (raw / name).read_bytes() == (dataverse.folder / name).read_bytes()
    assert not list(raw.parent.glob("*.partial"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_the_same_command_goes_on(dataverse: Dataverse, tmp_path: Path, number: int) -> None:
    words = words_for(dataverse)
    dataverse.storage.pace = 0.05
    process = spawn(tmp_path, *words)
    until(lambda: dataverse.storage.sent(NAME) > 100_000, process)
    process.send_signal(number)
    _, told = process.communicate(timeout=10)
    assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in told
    (staging,) = (tmp_path / "sets" / "ham10000").glob("raw-*.partial")
    have = {name: (staging / f"{name}.partial").stat().st_size for name in ARCHIVES}
    assert min(have.values()) > 0
    dataverse.storage.pace = 0.0
    before = {name: len(dataverse.storage.of(name)) for name in FILES}
    skincli(tmp_path, *words)
    assert_finished(dataverse, tmp_path)
    for name in ARCHIVES:
        (again,) = dataverse.storage.of(name)[before[name] :]
        assert again.range == f"bytes={have[name]}-"
        assert again.sent == (dataverse.folder / name).stat().st_size - have[name]
    assert len(dataverse.storage.of(METADATA)) == before[METADATA] == 1


@pytest.mark.parametrize("what", ["stalled", "asked to wait", "listing"])
def test_ctrl_c_ends_what_waits(dataverse: Dataverse, tmp_path: Path, what: str) -> None:
    waiting = {
        "stalled": lambda: dataverse.storage.faults.update({n: [stall(1000)] for n in FILES}),
        "asked to wait": lambda: dataverse.faults.update({n: [answers(429, "99")] for n in FILES}),
        "listing": lambda: dataverse.faults.update({"list": [answers(503, "99")]}),
    }
    waiting[what]()
    process = spawn(tmp_path, *words_for(dataverse))
    names = ["list"] if what == "listing" else FILES
    servers = (dataverse, dataverse.storage)
    until(lambda: not any(server.faults[name] for server in servers for name in names), process)
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=10)
    assert time.monotonic() - began < 2
    assert process.returncode == 130
    assert "run the same command again" in told
    assert not (tmp_path / "sets" / "ham10000" / "raw").exists()


def test_a_killed_search_goes_on_with_its_images(dataverse: Dataverse, tmp_path: Path) -> None:
    file = dataverse.folder / NAME
    images = [tmp_path / f"ISIC_{n:07d}.jpg" for n in range(12)]
    for image in images:
        image.write_bytes(file.read_bytes()[:60_000] + image.name.encode())
    lesions = [Lesion(image.stem, image, {"diagnosis_3": "Nevus"}) for image in images]
    with Isic(lesions) as isic:
        words = ["data", "fetch", "data=isic", "data.isic.collections=[]", "data.isic.query=nevus"]
        words += [f"data.download.isic={isic.url}", "data.root=sets"]
        isic.storage.pace = 0.05
        process = spawn(tmp_path, *words)
        until(lambda: len(isic.storage.asked) > 6, process)
        process.kill()
        process.communicate()
        (staging,) = (tmp_path / "sets" / "isic").glob("raw-*.partial")
        have = {path.name for path in (staging / "images").glob("*.jpg")}
        assert have
        isic.storage.pace = 0.0
        asked, listed = len(isic.storage.asked), len(isic.asked)
        done = skincli(tmp_path, *words)
    assert len(isic.asked) == listed  # the listing was whole
    assert {each.name for each in isic.storage.asked[asked:]} == {
        image.name for image in images if image.name not in have
    }
    raw = tmp_path / "sets" / "isic" / "raw" / "images"
    assert all((raw / image.name).read_bytes() == image.read_bytes() for image in images)
    assert {path.name for path in raw.iterdir()} == {image.name for image in images}
    assert "Fetched 12 images in 16 files" in done.out
    sums = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=raw.parent, check=False
    )
    assert sums.returncode == 0


def test_the_command_tells_what_it_fetched(dataverse: Dataverse, tmp_path: Path) -> None:
    words = [*words_for(dataverse), "data.include=[isic2018-test]"]
    done = skincli(tmp_path, *words)
    first, second = done.out.splitlines()
    count = len((dataverse.folder / METADATA).read_text().splitlines()) - 1
    assert first.startswith(f"Fetched {count} images in 3 files")
    assert re.search(r"Fetched 4 images in 2 files .* verified\) in .*/isic2018/raw", second)
    assert re.search(rf"Fetching {NAME}: [\d.]+/[\d.]+ kB, done in", done.err)
    data = skincli(tmp_path, *words, "--json").data
    assert (data["created"], data["included"][0]["source"]) == (False, "isic2018")


def test_without_a_network_the_command_says_what_else_there_is(tmp_path: Path) -> None:
    environ = {name: "" for name in os.environ if name.lower().endswith("_proxy")}
    words = ["data", "fetch", "data.download.dataverse=http://127.0.0.1:1"]
    done = skincli(tmp_path, *words, code=1, **environ)
    assert "127.0.0.1:1 cannot be reached" in done.err
    assert "data=synthetic" in done.err

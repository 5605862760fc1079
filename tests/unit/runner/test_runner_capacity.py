"""Memory, shared memory and disk of the machine that docker's engine runs on."""

import shutil
from pathlib import Path

import pytest

from skincli.runner import capacity
from skincli.runner.capacity import EngineHost

GB = 10**9


def host(memory=128 * GB, root=None, architecture="x86_64"):
    return EngineHost(architecture, root, memory)


def test_what_docker_tells_of_its_machine(docker):
    docker.play(info={"DockerRootDir": "/mnt/docker", "MemTotal": 7, "Architecture": "aarch64"})
    assert capacity.engine_host(docker.environ) == EngineHost("aarch64", Path("/mnt/docker"), 7)


@pytest.mark.parametrize("info", [[], {}, None, {"MemTotal": 0, "DockerRootDir": ""}])
def test_a_docker_that_tells_nothing_is_no_failure(docker, info):
    docker.play(info=info)
    found = capacity.engine_host(docker.environ)
    assert (found.root, found.memory) == (None, None)
    assert found.architecture
    assert capacity.disk(found).level == "warning"


def test_shared_memory_must_fit_into_the_memory():
    assert capacity.memory(host(100 * GB), "8g").level == "ok"
    check = capacity.memory(host(7 * GB), "8g")
    assert check.level == "failure"
    assert "7.0 GB, 8.6 GB of it" in check.found
    assert "--shm-size 3g" in check.mend


def test_this_machines_own_memory_is_looked_at_for_what_is_free():
    available, total = capacity.memory_sizes(Path("/proc/meminfo").read_text())
    assert 0 < available < total
    whole = capacity.memory(host(total), f"{total // 1024}k")
    assert whole.level == "warning"
    assert "available of" in whole.found


@pytest.mark.parametrize(
    ("size", "bytes_"), [("8g", 8 << 30), ("512m", 512 << 20), ("3k", 3072), ("9b", 9), ("7", 7)]
)
def test_sizes_are_read_as_docker_reads_them(size, bytes_):
    assert capacity.size_in_bytes(size) == bytes_


@pytest.mark.parametrize(("free", "level"), [(9, "failure"), (39, "warning"), (41, "ok")])
def test_the_disk_of_docker_is_looked_at(tmp_path, monkeypatch, free, level):
    usage = type("Usage", (), {"free": free * GB})
    monkeypatch.setattr(shutil, "disk_usage", lambda path: {tmp_path: usage}[path])
    check = capacity.disk(host(root=tmp_path))
    assert check.level == level
    assert str(tmp_path) in check.found


def test_less_shared_memory_than_docker_gives_by_itself_is_a_warning():
    assert capacity.memory(host(), "64m").ok
    check = capacity.memory(host(), "8")
    assert (check.level, "8 is 8 bytes" in check.found) == ("warning", True)
    assert "--shm-size 8g" in check.mend


def test_a_folder_of_dockers_that_may_not_be_looked_into_is_a_warning(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(shutil, "disk_usage", refuse)
    monkeypatch.setattr(Path, "exists", refuse)
    check = capacity.disk(host(root=tmp_path))
    assert (check.level, str(tmp_path) in check.found) == ("warning", True)

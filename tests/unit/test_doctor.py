import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from skincli.config.data import DataConfig
from skincli.config.operating import TrackingConfig
from skincli.config.schema import Config
from skincli.doctor import examine, machine, packages, project, store


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_store(path, rows=2000):
    with closing(sqlite3.connect(path)) as link:
        link.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        link.execute("INSERT INTO alembic_version VALUES ('1bd49d398cd23')")
        link.execute("CREATE TABLE metrics (key TEXT, value REAL)")
        link.executemany(
            "INSERT INTO metrics VALUES (?, ?)", [("loss" * 9, i) for i in range(rows)]
        )
        link.commit()
    return path


@pytest.fixture
def server():
    """A real server; `status` is what it answers to /health."""

    class Handler(BaseHTTPRequestHandler):
        status = 200

        def do_GET(self):
            self.send_response(self.status if self.path == "/health" else 404)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"OK")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}", Handler
        served.shutdown()
        thread.join()


def test_this_installation_is_healthy(here):
    diagnosis = examine(Config())
    assert diagnosis.healthy, [c for c in diagnosis.checks if c.level == "failure"]
    by_name = {check.name: check for check in diagnosis.checks}
    assert by_name["Python"].found == ".".join(map(str, sys.version_info[:3]))
    assert "torch" in by_name["packages"].found
    assert all(check.mend for check in diagnosis.checks if not check.ok)


def test_a_damaged_store_makes_it_unhealthy(here):
    Path("mlflow.db").write_bytes(b"this was a database once" * 99)
    diagnosis = examine(Config())
    assert not diagnosis.healthy
    (failure,) = [c for c in diagnosis.checks if c.level == "failure"]
    assert failure.name == "tracking store"


def test_looking_changes_nothing(here):
    make_store(here / "mlflow.db")
    before = {path: path.stat().st_mtime_ns for path in here.rglob("*")}
    examine(Config())
    assert {path: path.stat().st_mtime_ns for path in here.rglob("*")} == before


def test_looking_loads_nothing_heavy(here):
    code = (
        "import sys; from skincli.config.schema import Config; from skincli.doctor import examine; "
        "examine(Config()); print([m for m in ('torch', 'mlflow', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("found", "level"), [("3.10.14", "failure"), ("3.11.0", "ok"), ("3.15.0b1", "ok")]
)
def test_python_versions(found, level):
    assert packages.check_python(found, ">=3.11").level == level


def test_packages_that_are_not_as_required():
    required = [Requirement(text) for text in ("torch>=2.11", "lightning<2.7,>=2.6.6", "rich>=14")]
    installed = {"torch": "2.11.0+cpu", "lightning": "2.5.0", "rich": None}
    good, old, missing = packages.check_packages(required, installed)
    assert (good.level, good.found) == ("ok", "torch 2.11.0+cpu")
    assert (old.name, old.level) == ("package lightning", "failure")
    assert "2.5.0" in old.found
    assert old.mend == "run `pip install 'lightning<2.7,>=2.6.6'`"
    assert (missing.level, missing.found) == (
        "failure",
        "it is not installed, where skincli needs >=14",
    )


@pytest.mark.parametrize(
    ("free", "level"), [(0, "failure"), (0.99e9, "failure"), (9.9e9, "warning"), (11e9, "ok")]
)
def test_disk(free, level):
    assert machine.check_disk(int(free)).level == level


@pytest.mark.parametrize(("available", "level"), [(1_000_000, "warning"), (8_000_000, "ok")])
def test_memory(available, level):
    text = f"MemTotal:  16000000 kB\nMemAvailable:  {available} kB\nHugePages_Total:  0\n"
    check = machine.check_memory(text)
    assert check.level == level
    assert "of 16.4 GB" in check.found


def test_a_folder_that_cannot_be_written_to():
    check = machine.working_folder(Path("/proc"))
    assert check.level == "failure"
    assert check.mend


def test_no_gpu_is_fine_and_a_broken_driver_is_not(tmp_path):
    environ = {"PATH": str(tmp_path)}
    assert machine.gpu(environ).level == "ok"
    broken = tmp_path / "nvidia-smi"
    broken.write_text("#!/bin/sh\necho 'Driver/library version mismatch'\nexit 18\n")
    broken.chmod(stat.S_IRWXU)
    check = machine.gpu(environ)
    assert (check.level, check.found) == ("warning", "Driver/library version mismatch")


def test_a_store_that_is_not_there_yet(here):
    check = store.tracking_store("sqlite:///mlflow.db")
    assert check.ok
    assert not Path("mlflow.db").exists()


def test_a_whole_store_tells_its_revision(here):
    make_store(here / "mlflow.db")
    for uri in ("sqlite:///mlflow.db", f"sqlite:///{here}/mlflow.db"):
        check = store.tracking_store(uri)
        assert check.ok
        assert "1bd49d398cd23" in check.found


def test_a_store_with_a_page_overwritten(here):
    path = make_store(here / "mlflow.db")
    content = bytearray(path.read_bytes())
    content[3 * 4096 : 4 * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    assert store.database(path).level == "failure"


def test_a_store_cut_short(here):
    path = make_store(here / "mlflow.db")
    path.write_bytes(path.read_bytes()[: 5 * 4096])
    assert store.database(path).level == "failure"


def test_a_database_of_something_else(here):
    with closing(sqlite3.connect("other.db")) as link:
        link.execute("CREATE TABLE cats (name TEXT)")
    check = store.database(Path("other.db"))
    assert check.level == "failure"
    assert "alembic_version" in check.found


def test_a_store_in_use_is_not_called_damaged(here):
    path = make_store(here / "mlflow.db")
    with closing(sqlite3.connect(path)) as link:
        link.execute("BEGIN EXCLUSIVE")
        assert store.database(path).level == "warning"


def test_a_store_left_in_the_middle_of_a_write_is_not_called_damaged(here):
    path = make_store(here / "mlflow.db")
    with closing(sqlite3.connect(path)) as link:
        link.execute("PRAGMA cache_size = 1")
        link.execute("UPDATE metrics SET key = 'accuracy'")
        for name in ("mlflow.db", "mlflow.db-journal"):
            shutil.copyfile(name, name.replace("mlflow", "killed"))
    assert store.database(Path("killed.db")).level == "warning"


def test_a_server_that_is_well(server):
    address, _ = server
    check = store.tracking_store(address + "/")
    assert check.ok
    assert address in check.found


def test_a_server_that_is_not_well(server):
    address, handler = server
    handler.status = 503
    check = store.tracking_store(address)
    assert check.level == "warning"
    assert "503" in check.found


def test_a_server_that_is_not_there(server, here):
    address, _ = server
    uri = address.replace("http://", "http://anna:secret@").rsplit(":", 1)[0] + ":9"
    check = store.tracking_store(uri)
    assert check.level == "warning"
    assert "secret" not in repr(check)
    assert "track start" in check.mend
    assert examine(Config(tracking=TrackingConfig(uri=uri))).healthy


def test_the_data_set_is_followed_from_nothing_to_prepared(here):
    folder = here / "data" / "mine"
    levels = [check.level for check in project.data_set(folder)]
    assert levels == ["warning", "warning"]
    (folder / "raw").mkdir(parents=True)
    (folder / "raw" / "source.json").write_text("{}")
    (folder / "prepared" / "0a1b.partial").mkdir(parents=True)
    (folder / "prepared" / "0a1b.partial" / "manifest.json").write_text("{}")
    levels = [check.level for check in project.data_set(folder)]
    assert levels == ["ok", "warning"]
    (folder / "prepared" / "0a1b.partial").rename(folder / "prepared" / "0a1b")
    config = Config(data=DataConfig(name="mine", root=str(here / "data")))
    by_name = {check.name: check for check in examine(config).checks}
    assert "0a1b" in by_name["prepared images"].found
    (folder / "prepared" / "0a1b" / "manifest.json").write_text(json.dumps({})[:-1])
    assert project.data_set(folder)[1].level == "warning"


def test_the_state_of_the_repository(here):
    environ = os.environ | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CEILING_DIRECTORIES": str(here.parent),
    }
    assert "not a git repository" in project.repository(environ).found
    git(here, "init --quiet")
    assert "no commit" in project.repository(environ).found
    (here / "notes.txt").write_text("one")
    git(here, "add .")
    git(here, "-c user.name=a -c user.email=a@b.c commit --quiet -m one")
    assert project.repository(environ).ok
    (here / "notes.txt").write_text("two")
    check = project.repository(environ)
    assert check.level == "warning"
    assert "1 uncommitted" in check.found


def test_no_git_and_no_docker_are_warnings(here):
    environ = {"PATH": str(here)}
    assert project.repository(environ).level == "warning"
    (client,) = project.docker(environ)
    assert client.level == "warning"


def git(folder, command):
    environ = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *command.split()], cwd=folder, env=environ, check=True)

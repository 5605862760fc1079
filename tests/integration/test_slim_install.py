"""The install without torch, made as docs/docker.md says, serves what an MLflow server holds."""

import copy
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from commands import skincli, spawn
from PIL import Image
from services import free_port

from skincli.config.schema import Config
from skincli.doctor.packages import NOT_ON_A_SERVER
from skincli.progress import Silent
from skincli.tracking import server
from skincli.tracking.registry import move_alias, new_change, read_registry, register

ROOT = Path(__file__).parents[2]
SOURCES = (
    "LICENSE", "README.md", "configs", "constraints.txt", "pyproject.toml",
    "requirements-server.txt", "skincli",
)  # fmt: skip
PATIENCE = 60
LARGEST_BYTES = 450e6

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the environment that the first commands of the page make."""
    folder = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        copy_one = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy_one(ROOT / name, folder / name)
    commands = re.search(r"```sh\n(.*?)```", (ROOT / "docs" / "docker.md").read_text(), re.DOTALL)
    assert commands is not None
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["bash", "-ec", commands[1]], cwd=folder, env=os.environ | {"PATH": path}, check=True
    )
    return folder / "server"


@pytest.fixture
def slim(installed: Path) -> tuple[Path]:
    return (installed / "bin" / "skincli",)


@pytest.fixture
def store(config: Config, log_model) -> Iterator[Config]:
    """That of a client of a real MLflow server, which holds a champion."""
    run_id, bundle = log_model(0)
    version = register(config, run_id, bundle, run_id)
    move_alias(config, new_change(config, read_registry(config), "promote", version), {})
    config.tracking.port = free_port()
    state = server.start(config.tracking, Silent())
    client = copy.deepcopy(config)
    client.tracking.uri = state.address
    yield client
    server.stop(config.tracking)


def test_it_is_small_and_holds_nothing_heavy(installed):
    packages = subprocess.check_output(
        [installed / "bin" / "python", "-m", "pip", "list", "--format=freeze"], text=True
    )
    names = {line.partition("==")[0].lower() for line in packages.splitlines()}
    assert "skincli" in names
    assert not names & {*NOT_ON_A_SERVER, "mlflow", "pandas"}
    size = sum(file.lstat().st_blocks * 512 for file in installed.rglob("*"))
    assert size < LARGEST_BYTES


def test_the_doctor_finds_it_healthy(slim, tmp_path):
    done = skincli(tmp_path, "doctor", "--json", program=slim)
    assert done.data["healthy"]


def test_it_serves_and_reads_the_champion_of_a_server(slim, store, tmp_path):
    here = tmp_path / "server"
    here.mkdir()
    address = f"tracking.uri={store.tracking.uri}"
    environ = {"XDG_CACHE_HOME": str(here / "cache")}
    listed = skincli(here, "models", "list", address, "--json", program=slim, **environ)
    assert listed.data[0]["aliases"] == ["champion"]
    image = here / "image.jpg"
    Image.radial_gradient("L").convert("RGB").save(image)
    said = skincli(here, "predict", str(image), address, "--json", program=slim, **environ)
    port = free_port()
    words = ["serve", address, f"serve.port={port}", "serve.journal.uri=sqlite:///journal.db"]
    with spawn(here, *words, program=slim, **environ) as serving:
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz", serving)
            answer = httpx.post(
                f"http://127.0.0.1:{port}/v1/predict",
                files={"images": image.read_bytes()},
                trust_env=False,
            ).json()
        finally:
            serving.terminate()
        _, log = serving.communicate(timeout=PATIENCE)
    assert serving.returncode == 0, log
    assert answer["model"]["version"] == "1"
    [row] = said.data["rows"]
    assert answer["predictions"][0]["probabilities"] == pytest.approx(row["probabilities"])


def test_it_reads_a_store_in_a_file(slim, config, log_model, tmp_path):
    run_id, bundle = log_model(0)
    register(config, run_id, bundle, run_id)
    done = skincli(tmp_path, "models", "list", "--json", program=slim)
    assert [version["version"] for version in done.data] == ["1"]


@pytest.mark.parametrize(("command", "lacks"), [("train", "torch"), ("tune", "matplotlib")])
def test_what_it_cannot_do_it_says(slim, tmp_path, command, lacks):
    done = skincli(tmp_path, command, program=slim, code=2)
    assert f"this needs `{lacks}`" in done.err


def test_it_starts_no_tracking_server(slim, tmp_path):
    done = skincli(tmp_path, "track", "start", program=slim, code=2)
    assert "needs the package flask" in done.err


def wait_until_ready(url: str, serving: subprocess.Popen[str]) -> None:
    for _ in range(PATIENCE * 10):
        assert serving.poll() is None, serving.communicate()
        try:
            if httpx.get(url, trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        try:
            serving.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
    pytest.fail("the server did not become ready")

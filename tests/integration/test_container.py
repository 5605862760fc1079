"""What the Dockerfile builds, run as Docker would: as process 1, without rights, on a root file
system that is read-only but for `/data` and `/tmp`. No Docker engine takes part."""

import io
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dockerfile
import httpx
import pytest
from bundles import tiny_bundle
from dockerfile import Image
from PIL import Image as Picture
from services import free_port, require

PATIENCE = 60
# Bound in this order: a mount below another keeps its own right to be written to.
CONTAINED = """
mount --bind "$ROOT" "$ROOT"
mount --bind "$ROOT/data" "$ROOT/data"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount -o remount,ro,bind "$ROOT"
mount -o remount,ro,bind /
cd "$ROOT/data"
exec setpriv --no-new-privs --inh-caps=-all --bounding-set=-all "$@"
"""
NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
if os.getuid():
    NAMESPACES.insert(1, "--map-root-user")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    allowed = subprocess.run([*NAMESPACES, "mount", "-o", "remount,ro,bind", "/"], check=False)
    require(allowed.returncode == 0, "the right to make mount namespaces")
    image = Image(tmp_path_factory.mktemp("image"))
    image.build()
    assert not list((image.root / "data").iterdir())
    (image.root / "tmp").mkdir()
    return image


@contextmanager
def container(image: Image, *words: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    command = [*dockerfile.last("ENTRYPOINT").command, *words]
    environ = image.environ | {"ROOT": str(image.root), "TMPDIR": f"{image.root}/tmp"} | settings
    with subprocess.Popen(
        [*NAMESPACES, "sh", "-ec", CONTAINED, "sh", *command],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as outside:
        try:
            yield outside
        finally:
            outside.kill()


def process_one(outside: subprocess.Popen[str]) -> int:
    children = Path(f"/proc/{outside.pid}/task/{outside.pid}/children").read_text()
    return int(children.split()[0])


def health(image: Image, **settings: str) -> int:
    command = dockerfile.healthcheck()
    environ = image.environ | settings
    return subprocess.run(command, env=environ, capture_output=True, check=False).returncode


def written(image: Image) -> set[tuple[str, int]]:
    files = (path for path in image.root.rglob("*") if path.is_file())
    return {
        (str(file), file.stat().st_mtime_ns)
        for file in files
        if not file.is_relative_to(image.root / "data")
    }


def test_the_image_serves_and_stops(image):
    before = written(image)
    tiny_bundle(image.root / "data" / "bundle")
    port = str(free_port())
    settings = {"SKINCLI__SERVE__PORT": port, "SKINCLI__SERVE__MODEL": "bundle"}
    with container(image, "keys", "create", "clinic") as creating:
        key, said = creating.communicate(timeout=PATIENCE)
    assert creating.returncode == 0, said
    assert health(image, **settings) == 1

    with container(image, *dockerfile.last("CMD").command, **settings) as outside:
        wait_until_healthy(image, outside, settings)
        answer = httpx.post(
            f"http://127.0.0.1:{port}/v1/predict",
            files={"images": some_jpeg()},
            headers={"x-api-key": key.strip()},
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text
        assert status_of(process_one(outside))["CapEff"] == "0" * 16
        os.kill(process_one(outside), getattr(signal, dockerfile.last("STOPSIGNAL").text))
        _, log = outside.communicate(timeout=PATIENCE)
    assert outside.returncode == 0, log
    assert "Traceback" not in log
    assert health(image, **settings) == 1
    assert written(image) == before
    assert {"bundle", "journal.db", "keys.json"} <= {
        p.name for p in (image.root / "data").iterdir()
    }


def test_nothing_is_written_beside_its_data(image):
    elsewhere = f"serve.keys.file={image.root}/opt/keys.json"
    with container(image, "keys", "create", "clinic", elsewhere) as creating:
        _, said = creating.communicate(timeout=PATIENCE)
    assert creating.returncode == 1
    assert "Read-only file system" in said


def test_it_says_what_a_server_cannot_do(image):
    with container(image, "train") as training:
        _, said = training.communicate(timeout=PATIENCE)
    assert training.returncode == 2
    assert "which a server install leaves out" in said


def some_jpeg() -> bytes:
    stream = io.BytesIO()
    Picture.radial_gradient("L").save(stream, "JPEG")
    return stream.getvalue()


def wait_until_healthy(
    image: Image, outside: subprocess.Popen[str], settings: dict[str, str]
) -> None:
    """The check itself takes a moment: it is asked again at once."""
    for _ in range(PATIENCE):
        if health(image, **settings) == 0:
            return
        assert outside.poll() is None, outside.communicate()
    pytest.fail("it did not become healthy")


def status_of(process: int) -> dict[str, str]:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}

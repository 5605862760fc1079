"""What must hold before the server starts, and how it stops."""

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import httpx
import pytest
from live import PATIENCE, config_for, free_port, process, wait_until_ready, wait_until_refused
from uploads import MULTIPART, encoded, multipart

from skincli.bundle import Bundle, BundleSpec, seal
from skincli.config.schema import Config
from skincli.errors import ModelError, SkincliError
from skincli.serving.fixed import load_model
from skincli.serving.run import listen, run
from skincli.taxonomy import classes_of

FACTORY = (sys.executable, "-m", "uvicorn", "--factory", "skincli.serving.app:create_app")
RUN = (
    sys.executable,
    "-c",
    "from skincli.config.load import load_config\n"
    "from skincli.serving.run import run\n"
    "run(load_config().config)",
)
RUN_RELOADING = (
    sys.executable,
    "-c",
    "import sys\n"
    "from skincli.serving.run import run_reloading\n"
    "if __name__ == '__main__':\n"
    "    run_reloading('127.0.0.1', int(sys.argv[1]))",
)


def resealed(bundle: Bundle, folder: Path, spec: BundleSpec) -> Config:
    copytree(bundle.folder, folder)
    seal(folder, spec, {"key": "", "files": [], "lesions": []})
    return config_for(folder)


def test_a_model_whose_answer_is_no_number_is_not_served(bundle: Bundle, tmp_path: Path) -> None:
    config = resealed(bundle, tmp_path / "b", replace(bundle.spec, temperature=float("nan")))
    with pytest.raises(ModelError, match="fails its self-test"):
        load_model(config)


def test_a_model_with_other_classes_than_its_bundle_says_is_not_served(
    bundle: Bundle, tmp_path: Path
) -> None:
    classes = (*bundle.spec.classes, *classes_of("binary"))
    config = resealed(bundle, tmp_path / "b", replace(bundle.spec, classes=classes))
    with pytest.raises(ModelError):
        load_model(config)


def test_a_model_of_another_image_size_is_not_served(bundle: Bundle, tmp_path: Path) -> None:
    spec = replace(bundle.spec, image_size=bundle.spec.image_size + 1)
    with pytest.raises(ModelError, match="cannot be run"):
        load_model(resealed(bundle, tmp_path / "b", spec))


def test_a_port_that_is_taken_is_refused_with_another_to_choose(config: Config) -> None:
    with listen("127.0.0.1", 0) as other:
        port = other.getsockname()[1]
        taken = replace(config, serve=replace(config.serve, port=port))
        with pytest.raises(SkincliError, match=f"port {port} .* already taken") as caught:
            run(taken)
    assert "serve.port=" in caught.value.hint


def test_an_address_of_another_computer_is_refused() -> None:
    with pytest.raises(SkincliError, match=r"cannot listen on 192\.0\.2\.1"):
        listen("192.0.2.1", 8000)


def test_a_model_that_is_not_there_ends_the_command_and_frees_the_port(tmp_path: Path) -> None:
    port = free_port()
    command = (sys.executable, "-m", "skincli", "serve", "--model", str(tmp_path))
    with process((*command, f"serve.port={port}"), tmp_path) as server:
        _, log = server.communicate(timeout=PATIENCE)
    assert server.returncode == 2
    assert f"there is no model `{tmp_path}`" in log
    assert "Traceback" not in log
    listen("127.0.0.1", port).close()


def test_uvicorn_reports_a_model_that_is_not_there_without_a_traceback(tmp_path: Path) -> None:
    settings = {"SKINCLI__SERVE__MODEL": str(tmp_path)}
    with process((*FACTORY, "--port", str(free_port())), tmp_path, **settings) as server:
        _, log = server.communicate(timeout=PATIENCE)
    assert server.returncode not in (0, -signal.SIGTERM)
    assert f"there is no model `{tmp_path}`" in log
    assert "Traceback" not in log


def test_uvicorn_serves_the_factory_and_stops_when_told(bundle: Bundle, tmp_path: Path) -> None:
    port, settings = served(bundle)
    url = f"http://127.0.0.1:{port}/v1/predict"
    with process((*FACTORY, "--port", str(port)), tmp_path, **settings) as server:
        wait_until_ready(f"http://127.0.0.1:{port}")
        answer = httpx.post(url, files={"images": encoded("JPEG")}, trust_env=False)
        server.terminate()
        _, log = server.communicate(timeout=PATIENCE)
    assert answer.status_code == httpx.codes.OK
    # uvicorn's own command ends by the signal it was sent, after it has shut down.
    assert server.returncode in (0, -signal.SIGTERM)
    assert "Application shutdown complete" in log
    assert "Traceback" not in log


def test_run_answers_the_request_under_way_before_it_stops(bundle: Bundle, tmp_path: Path) -> None:
    port, settings = served(bundle)
    with process(RUN, tmp_path, **settings) as server:
        wait_until_ready(f"http://127.0.0.1:{port}")
        with half_sent(port) as (connection, rest):
            # Answered after the bytes already sent were read: connections are served in turn.
            wait_until_ready(f"http://127.0.0.1:{port}")
            server.terminate()
            wait_until_refused(port)
            connection.sendall(rest)
            answer = connection.makefile("rb").read()
        _, log = server.communicate(timeout=PATIENCE)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"server:" not in answer.lower()
    assert server.returncode == 0
    assert "Traceback" not in log
    assert f"http://127.0.0.1:{port}" in log


def test_run_refuses_requests_beyond_its_concurrency_and_stops_at_ctrl_c(
    bundle: Bundle, tmp_path: Path
) -> None:
    port, settings = served(bundle)
    url = f"http://127.0.0.1:{port}"
    with process(RUN, tmp_path, **settings, SKINCLI__SERVE__LIMITS__REQUESTS="1") as server:
        wait_until_ready(url)
        with half_sent(port):
            refused = httpx.get(f"{url}/v1/model", trust_env=False)
            alive = httpx.get(f"{url}/healthz", trust_env=False)
        wait_until_ready(url)
        server.send_signal(signal.SIGINT)
        _, log = server.communicate(timeout=PATIENCE)
    assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert (refused.json()["reason"], refused.headers["retry-after"]) == ("busy", "1")
    assert alive.status_code == httpx.codes.OK
    assert server.returncode == 0
    assert "Traceback" not in log


@pytest.mark.slow
def test_run_reloading_serves_and_stops_when_told(bundle: Bundle, tmp_path: Path) -> None:
    port, settings = served(bundle)
    with process((*RUN_RELOADING, str(port)), tmp_path, **settings) as server:
        wait_until_ready(f"http://127.0.0.1:{port}")
        server.terminate()
        server.communicate(timeout=PATIENCE)
    wait_until_refused(port)


def served(bundle: Bundle) -> tuple[int, dict[str, str]]:
    """A free port, and the environment that serves `bundle` on it."""
    port = free_port()
    return port, {"SKINCLI__SERVE__MODEL": str(bundle.folder), "SKINCLI__SERVE__PORT": str(port)}


@contextmanager
def half_sent(port: int) -> Iterator[tuple[socket.socket, bytes]]:
    """A connection on which a request is under way, and the bytes it still lacks."""
    body = multipart("images", encoded("JPEG"))
    head = f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    head += f"Content-Type: {MULTIPART['content-type']}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(head.encode() + body[:100])
        yield connection, body[100:]

"""The Dockerfile without Docker: linted, read, and its health check asked of real servers."""

import os
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import dockerfile
import pytest
from dockerfile import ROOT, last, stages


def test_the_linter_has_nothing_to_say():
    linter = Path(sys.executable).with_name("hadolint")
    words = [
        "--failure-threshold",
        "style",
        "--require-label",
        "org.opencontainers.image.title:text",
    ]
    done = subprocess.run(
        [linter, *words, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_both_stages_stand_on_one_pinned_base():
    bases = [line.split()[1] for line in (ROOT / "Dockerfile").read_text().splitlines()
             if line.startswith("FROM")]  # fmt: skip
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert bases[0].startswith("python:3.")


def test_it_runs_as_nobody_known_and_writes_to_data_alone():
    assert last("USER").text == "10001:10001"
    assert last("VOLUME").text == last("WORKDIR").text == "/data"
    [owned] = [step for step in stages()[-1] if "chown" in step.flags]
    assert owned.flags["chown"] == last("USER").text
    assert owned.text.endswith(" /data")
    environ = dockerfile.environment()
    assert environ["HOME"] == "/data"
    assert environ["XDG_CACHE_HOME"].startswith("/data/")


def test_it_is_stopped_and_started_as_a_server_wants():
    assert last("STOPSIGNAL").text == "SIGTERM"
    assert [*last("ENTRYPOINT").command, *last("CMD").command] == ["skincli", "serve"]
    environ = dockerfile.environment()
    assert environ["SKINCLI__SERVE__PORT"] == last("EXPOSE").text
    assert environ["SKINCLI__SERVE__HOST"] == "0.0.0.0"


def test_the_builder_is_given_what_is_copied_and_nothing_else():
    sources = {
        source
        for step in stages()[0]
        if step.word == "COPY"
        for source in shlex.split(step.text)[:-1]
    }
    assert {path.name for path in ROOT.iterdir() if not dockerfile.is_ignored(path.name)} == sources
    assert dockerfile.is_ignored("keys.json")


def test_nothing_secret_is_built_in():
    steps = [step for stage in stages() for step in stage if step.word in ("ARG", "ENV")]
    words = " ".join(step.text for step in steps).upper()
    assert not any(word in words for word in ("PASSWORD", "SECRET", "TOKEN", "API_KEY"))


class Answering(BaseHTTPRequestHandler):
    status = 200
    asked = ""

    def do_GET(self):
        type(self).asked = self.path
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def service(answer: int) -> Iterator[int]:
    Answering.status = answer
    with HTTPServer(("127.0.0.1", 0), Answering) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield served.server_port
        served.shutdown()
        thread.join()


def asked(port: int) -> int:
    """The exit code of the health check."""
    program, *words = dockerfile.healthcheck()
    assert program == "python"
    environ = os.environ | {"SKINCLI__SERVE__PORT": str(port), "http_proxy": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, *words], env=environ, capture_output=True, check=False)
    return done.returncode


@pytest.mark.parametrize(("answer", "code"), [(200, 0), (503, 1)])
def test_the_health_check_asks_whether_it_is_ready(answer, code):
    with service(answer) as port:
        assert asked(port) == code
    assert Answering.asked == "/readyz"


def test_who_is_silent_or_not_there_is_not_healthy():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert asked(port) == 1
    assert asked(port) == 1

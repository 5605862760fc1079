"""The load generator and what a server costs: what is counted is what happened."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from skincli.bench.serving import processes
from skincli.bench.serving.load import Plan, run_load

REQUESTS = (b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n")


class Service:
    """A server that answers in turn with `statuses`, each after `delay` seconds, one at a time."""

    def __init__(self, statuses: tuple[int, ...], delay: float) -> None:
        self.statuses, self.delay = statuses, delay
        self.paths: list[str] = []
        self.one_at_a_time = Lock()

    def answer(self, path: str) -> int:
        with self.one_at_a_time:
            time.sleep(self.delay)
            self.paths.append(path)
            return self.statuses[(len(self.paths) - 1) % len(self.statuses)]


@contextmanager
def serving(*statuses: int, delay: float = 0.0) -> Iterator[tuple[Service, int]]:
    service = Service(statuses, delay)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status = service.answer(self.path)
            if not status:  # hang up without a word
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"words")

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service, server.server_port
    finally:
        server.shutdown()
        server.server_close()


def test_waiting_clients_take_turns_with_the_requests_and_keep_the_answers():
    with serving(200) as (service, port):
        outcome = run_load(Plan(port, REQUESTS, 0.3, concurrency=3, keep_answers=True))
    assert len(outcome.latencies) == len(service.paths) > 3
    assert outcome.errors == 0
    assert {"/a", "/b"} == set(service.paths)
    assert outcome.answers == [b"words"] * len(service.paths)
    assert 0.3 <= outcome.seconds < 30
    assert 0 < outcome.cpu_seconds < outcome.seconds


def test_refusals_and_broken_connections_are_errors_and_no_latencies():
    with serving(200, 503, 0) as (service, port):
        outcome = run_load(Plan(port, REQUESTS, 0.4, concurrency=1))
    assert len(service.paths) > 3
    assert len(outcome.latencies) == sum(n % 3 == 0 for n in range(len(service.paths)))
    assert outcome.errors == len(service.paths) - len(outcome.latencies)


def test_nobody_there_is_an_error():
    with serving(200) as (_, port):
        pass
    outcome = run_load(Plan(port, REQUESTS, 1.0, rate=3.0))
    assert (outcome.latencies, outcome.errors) == ([], 3)


def test_requests_that_do_not_wait_are_late_from_when_they_were_due():
    """20 a second at a server that manages 10: whoever counted from the sending would see 0.1 s."""
    with serving(200, delay=0.1) as (service, port):
        late = run_load(Plan(port, REQUESTS, 1.0, concurrency=1, rate=20.0))
    assert len(late.latencies) == len(service.paths) == 20
    assert max(late.latencies) > 0.7
    assert late.seconds >= 2.0


def test_arrivals_do_not_wait_for_answers():
    with serving(200, delay=0.2) as (_, port):
        outcome = run_load(Plan(port, REQUESTS, 0.5, rate=16.0))
    assert len(outcome.latencies) == 8


BURNING = """
import os, subprocess, sys, time
def burn(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until: pass
if sys.argv[1:] == ["child"]:
    burn(0.5)
    sys.exit()
subprocess.run([sys.executable, __file__, "child"])
if os.fork() == 0:
    if os.fork() == 0:  # an orphan, for its parent ends
        held = bytearray(b"x" * 100_000_000)
        burn(0.5)
        print("burnt", flush=True)
        time.sleep(60)
    os._exit(0)
os.wait()
time.sleep(60)
"""


def test_the_processes_of_a_server_count_even_the_ended_and_the_orphaned(tmp_path):
    script = tmp_path / "burning.py"
    script.write_text(BURNING)
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, start_new_session=True
    ) as server:
        assert server.stdout is not None
        try:
            assert server.stdout.readline() == b"burnt\n"
            spent, memory = processes.cpu_seconds(server.pid), processes.memory_of(server.pid)
            library = processes.has_loaded(server.pid, "libc.so")
            other = processes.has_loaded(server.pid, "libtorch_cpu")
        finally:
            subprocess.run(["pkill", "-KILL", "-s", str(server.pid)], check=True)
    assert 0.9 < spent < 3
    assert (library, other) == (True, False)
    assert len(memory.processes) == 2
    assert 100e6 < memory.processes[0] < 200e6 > memory.resident > 100e6
    assert processes.memory_of(server.pid) == processes.Memory(0, ())

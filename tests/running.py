"""`skincli serve` as users start it, its log, its processes, and load upon it."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from commands import SKINCLI
from services import free_port

PATIENCE = 60.0


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)


@dataclass
class Service:
    process: subprocess.Popen[bytes]
    url: str
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, trust_env=False, timeout=PATIENCE)

    def is_ready(self) -> bool:
        try:
            return self.get("/readyz").is_success
        except httpx.TransportError:
            return False

    def version(self) -> str | None:
        return str(self.get("/v1/model").json()["version"])

    def metric(self, line: str) -> float:
        """The value of a metric, summed over its labels."""
        rows = [row.rpartition(" ") for row in self.get("/metrics").text.splitlines()]
        return sum(float(value) for name, _, value in rows if name.partition("{")[0] == line)

    def children(self) -> set[int]:
        pid = self.process.pid
        return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))

    def workers(self) -> list[int]:
        """Those who hold the listening socket."""
        sockets = _listening(int(self.url.rpartition(":")[2]))
        return sorted(pid for pid in self.children() if _open_files(pid) & sockets)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE)


def _listening(port: int) -> set[str]:
    """How /proc names the sockets that listen on a port of this machine (proc_net_tcp)."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {
        f"socket:[{row[9]}]" for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")
    }


def _open_files(pid: int) -> set[str]:
    try:
        return {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:  # it ended meanwhile
        return set()


@contextmanager
def service(folder: Path, *settings: str, **environ: str) -> Iterator[Service]:
    """Started in `folder`, and ended at the latest when the test does."""
    port, log = free_port(), folder / "serve.log"
    command = [SKINCLI, "serve", f"serve.port={port}", *settings]
    with (
        log.open("wb") as stream,
        subprocess.Popen(
            command, cwd=folder, env=os.environ | environ, stdout=stream, stderr=stream
        ) as process,
    ):
        try:
            yield Service(process, f"http://127.0.0.1:{port}", log)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
            process.kill()


@dataclass
class Load:
    """Requests one after the other from several threads, and what became of them."""

    url: str
    image: bytes
    answers: list[dict] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @contextmanager
    def running(self, clients: int) -> Iterator["Load"]:
        ended = threading.Event()
        threads = [threading.Thread(target=self._send, args=(ended,)) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            ended.set()
            for thread in threads:
                thread.join()

    def _send(self, ended: threading.Event) -> None:
        headers = {"content-type": "image/jpeg"}
        with httpx.Client(base_url=self.url, trust_env=False, timeout=PATIENCE) as client:
            while not ended.is_set():
                try:
                    answer = client.post("/v1/predict", content=self.image, headers=headers)
                except httpx.TransportError as error:
                    self.failures.append(repr(error))
                    continue
                if answer.is_success:
                    self.answers.append(answer.json())
                else:
                    self.failures.append(f"{answer.status_code} {answer.text}")

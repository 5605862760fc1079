"""`skincli serve` as processes of its own, and what the kernel says of them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from live import PATIENCE, free_port, wait_until_ready


@dataclass(frozen=True)
class Service:
    """The supervisor, its registry process and its workers."""

    port: int
    supervisor: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        with httpx.Client(base_url=self.url, trust_env=False, timeout=PATIENCE) as client:
            yield client

    def processes(self) -> set[int]:
        found, children = set(), {self.supervisor.pid}
        while children:
            found |= children
            children = {child for number in children for child in _children(number)}
        return found

    def resident(self) -> int:
        """Bytes of all processes together; what they share counts once for each."""
        page = os.sysconf("SC_PAGE_SIZE")
        return page * sum(
            int(Path(f"/proc/{number}/statm").read_text().split()[1]) for number in self.processes()
        )

    def descriptors(self) -> int:
        return sum(len(list(Path(f"/proc/{number}/fd").iterdir())) for number in self.processes())

    def threads(self) -> int:
        return sum(len(list(Path(f"/proc/{number}/task").iterdir())) for number in self.processes())


@contextmanager
def service(model: Path, folder: Path, *words: str) -> Iterator[Service]:
    """A server of `model` that was started by its command, in `folder`, where `log` is."""
    port = free_port()
    command = [sys.executable, "-m", "skincli", "serve", f"serve.model={model}"]
    # A file: a pipe that no one reads fills up, and then holds up the server.
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [*command, f"serve.port={port}", *words],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        ) as supervisor,
    ):
        try:
            served = Service(port, supervisor)
            wait_until_ready(served.url)
            yield served
        finally:
            if supervisor.poll() is None:
                os.killpg(supervisor.pid, signal.SIGKILL)


def _children(number: int) -> list[int]:
    tasks = Path(f"/proc/{number}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]

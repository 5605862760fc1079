"""The verb `bench fetch`: downloading as `data fetch` does, beside what loopback can carry."""

import hashlib
import socket
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import httpx

from skincli.bench.loopback import loopback_server, random_bytes
from skincli.bench.records import FetchBench, FetchSpeed
from skincli.config.schema import Config
from skincli.data.download.batch import download
from skincli.data.download.transfer import RemoteFile
from skincli.data.download.web import open_web
from skincli.data.storage import require_space
from skincli.progress import Progress, Silent

_FILES: Final = 3
_BUFFER: Final = 1 << 18


def bench_fetch(config: Config, megabytes: int, rounds: int, progress: Progress) -> FetchBench:
    """Download a file of random bytes from this machine in several ways, in turns.

    Nothing is kept on the disk. Raises SkincliError when it has no room for three files.
    """
    size = megabytes * 1_000_000
    md5 = hashlib.md5(random_bytes(size), usedforsecurity=False).hexdigest()
    seconds: dict[str, list[float]] = {}
    with (
        TemporaryDirectory(prefix="skincli-bench-") as name,
        loopback_server(size) as port,
        progress.step("Measuring", rounds * 4) as step,
    ):
        folder = Path(name)
        require_space(folder, _FILES * size)
        for _ in range(rounds):
            for title, count, way in _ways(config, port, size, md5):
                seconds.setdefault(title, []).append(_timed(way, folder) / count)
                step.advance()
    limit = min(seconds["socket, bytes thrown away"])
    speeds = [FetchSpeed(k, megabytes / min(v), limit / min(v)) for k, v in seconds.items()]
    return FetchBench(megabytes, rounds, tuple(speeds))


def _ways(
    config: Config, port: int, size: int, md5: str
) -> list[tuple[str, int, Callable[[Path], None]]]:
    """What to call each way, how many files it brings, and how it does it."""
    url = f"http://127.0.0.1:{port}"
    files = [RemoteFile(f"file{n}", f"{url}/{n}", size, md5) for n in range(_FILES)]
    parallel = config.data.download.parallel

    def ours(files: list[RemoteFile]) -> Callable[[Path], None]:
        def fetch(folder: Path) -> None:
            with open_web(config.data.download) as web:
                download(web, files, folder, Silent())

        return fetch

    return [
        ("socket, bytes thrown away", 1, lambda _: _drain(port)),
        ("httpx into a file, unchecked", 1, lambda folder: _plain(url, folder)),
        ("skincli, one file, MD5 checked", 1, ours(files[:1])),
        (f"skincli, {_FILES} files, {parallel} at once", _FILES, ours(files)),
    ]


def _timed(way: Callable[[Path], None], folder: Path) -> float:
    with TemporaryDirectory(dir=folder) as target:
        began = perf_counter()
        way(Path(target))
        return perf_counter() - began


def _drain(port: int) -> None:
    """The least a client could do."""
    buffer = bytearray(_BUFFER)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: loopback\r\nConnection: close\r\n\r\n")
        while connection.recv_into(buffer):
            pass


def _plain(url: str, folder: Path) -> None:
    with (
        httpx.stream("GET", url, trust_env=False) as response,
        (folder / "file").open("wb") as target,
    ):
        for chunk in response.iter_raw():
            target.write(chunk)

"""One HTTP process of the service."""

import ctypes
import math
import os
import resource
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from skincli.config.schema import Config

if TYPE_CHECKING:
    import uvicorn

# Set before prometheus_client is imported, it makes every number a place in a file that all
# workers read (prometheus.github.io/client_python/multiprocess).
SHARED_COUNTERS: Final = "PROMETHEUS_MULTIPROC_DIR"
_CONNECTIONS_MOST: Final = 4096
_FOR_OWNER_ALONE: Final = 0o077
# Of glibc's <malloc.h>. By default the threshold rises with what was freed, up to 32 MB: after a
# large image its blocks are no longer given back to the system.
_M_MMAP_THRESHOLD, _LARGE_BYTES = -3, 2**22
# To set the one freezes the other at 128 kB: every request would then fetch its pages anew.
_M_TRIM_THRESHOLD, _SPARE_BYTES = -1, 2**26
# Each arena keeps so much, and by default there are eight for each core.
_M_ARENA_MAX, _ARENAS = -8, 2


def work(config: Config, listener: socket.socket, pointer: Path, scratch: Path) -> None:
    """Serve until SIGTERM, finish the requests under way, and return.

    To be called in the main thread of a process of its own, for the signals. What keeps it from
    starting is logged, and ends the process with uvicorn's exit code for that.
    """
    if config.serve.workers > 1:
        os.environ[SHARED_COUNTERS] = str(_shared_counters(scratch))
    os.umask(_FOR_OWNER_ALONE)  # the journal may hold images
    _allow_connections()
    _give_memory_back()
    # Only here: the supervisor, which forks this process, stays small.
    import uvicorn

    from skincli.serving.app import assemble
    from skincli.serving.following.follower import Follower
    from skincli.serving.protocol import protocol_within

    app = assemble(config, lambda meters: Follower(config, pointer, meters), scratch)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=protocol_within(config.serve.limits.receive_seconds),
            access_log=False,
            server_header=False,
            ws="none",
            # More than that would find no file descriptor.
            limit_concurrency=_CONNECTIONS_MOST,
            timeout_graceful_shutdown=math.ceil(config.serve.grace_seconds),
        )
    )
    _run_until_signal(server, listener)


def _shared_counters(scratch: Path) -> Path:
    """The folder of the counters, without what dead workers had under way."""
    folder = scratch / "counters"
    folder.mkdir(exist_ok=True)
    for file in folder.glob("gauge_live*_*.db"):
        if not Path("/proc", file.stem.rpartition("_")[2]).exists():
            file.unlink(missing_ok=True)
    return folder


def _allow_connections() -> None:
    """As many open files as the system lets this process have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _give_memory_back() -> None:
    """Let large blocks go back to the system when they are freed, where the C library is glibc."""
    with suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _SPARE_BYTES)
        libc.mallopt(_M_ARENA_MAX, _ARENAS)


def _run_until_signal(server: "uvicorn.Server", listener: socket.socket) -> None:
    """Once drained, uvicorn raises the signal again; to stop when told is no failure here."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, server.handle_exit) for number in numbers}
    try:
        server.run(sockets=[listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""`skincli serve`: the port, the supervisor, its registry process and its workers."""

import errno
import logging
import os
import socket
from functools import partial
from pathlib import Path
from typing import Final

import skincli
from skincli.config.schema import Config
from skincli.errors import SkincliError
from skincli.serving.following.pointer import is_registered, pointer_file, wanted_model
from skincli.serving.guards.buckets import Buckets
from skincli.serving.keys.issuing import require_keys
from skincli.serving.scratch import scratch_folder
from skincli.serving.supervisor import Target, supervise
from skincli.serving.worker import work

_FACTORY: Final = "skincli.serving.app:create_app"
_NICENESS: Final = 10  # of the registry process, which is in no hurry
_log = logging.getLogger(__name__)


def run(config: Config) -> None:
    """Serve until SIGTERM or Ctrl-C, finish the requests under way, and return.

    To be called in the main thread, while it is the only one. Raises SkincliError when the port
    is taken, there is no model to serve, or keys are asked for and there are none.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s:     %(message)s")
    serve = config.serve
    require_keys(serve)
    with listen(serve.host, serve.port) as listener, scratch_folder() as scratch:
        Buckets(scratch).close()  # once, before the workers would all make the same file
        followed = is_registered(wanted_model(config))
        pointer = pointer_file(config) if followed else scratch / "pointer.json"
        worker = Target("worker", partial(work, config, listener, pointer, scratch))
        follow = partial(_follow, config, listener, pointer)
        asking = Target("registry process", follow, may_end=not followed)
        _log.info("Listening on %s (the API: /docs), Ctrl-C stops it", _url(listener))
        supervise([asking] + [worker] * serve.workers, listener.close, serve.grace_seconds)


def run_reloading(host: str, port: int) -> None:
    """For development: serve, and start again whenever a file of the package changes.

    Each start composes the config anew from the working folder and the environment. Raises
    SkincliError when the port is taken.
    """
    import uvicorn

    listen(host, port).close()
    package = Path(skincli.__file__).parent
    uvicorn.run(
        _FACTORY, factory=True, host=host, port=port, reload=True, reload_dirs=[str(package)]
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises SkincliError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SkincliError(
                f"port {port} on {host} is already taken",
                f"stop what uses it, or choose another: `skincli serve serve.port={port + 1}`",
            ) from None
        raise SkincliError(
            f"cannot listen on {host}, port {port}: {error.strerror}",
            "set serve.host to an address of this computer, and serve.port above 1023",
        ) from None


def _follow(config: Config, listener: socket.socket, pointer: Path) -> None:
    listener.close()
    os.nice(_NICENESS)
    from skincli.serving.following.registry import follow

    follow(config, pointer)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

"""Running the server in this process until it is told to stop."""

import errno
import logging
import signal
import socket
from pathlib import Path
from typing import Final

import uvicorn

import skincli
from skincli.config.schema import Config
from skincli.errors import SkincliError
from skincli.serving.app import assemble
from skincli.serving.model import load_model

_FACTORY: Final = "skincli.serving:create_app"
_GRACE_SECONDS: Final = 30
_log = logging.getLogger("uvicorn.error")  # the server's own log, which uvicorn sets up


def run(config: Config) -> None:
    """Serve until SIGTERM or Ctrl-C, finish the requests under way, and return.

    The port is taken and the model loaded before the server starts, so that what is wrong with
    either is raised here. To be called in the main thread, for the signals. Raises SkincliError.
    """
    serve = config.serve
    with listen(serve.host, serve.port) as listener:
        model = load_model(config)
        server = uvicorn.Server(
            uvicorn.Config(
                assemble(config, lambda: model),
                access_log=False,
                server_header=False,
                # uvicorn counts open connections, the one that asks among them.
                limit_concurrency=serve.limits.requests + 1,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        _log.info("Serving %s on %s, Ctrl-C stops it", model.name.name, _url(listener))
        _run_until_signal(server, listener)


def run_reloading(host: str, port: int) -> None:
    """For development: serve, and start again whenever a file of the package changes.

    Each start composes the config anew from the working folder and the environment. Raises
    SkincliError when the port is taken.
    """
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


def _run_until_signal(server: uvicorn.Server, listener: socket.socket) -> None:
    """Once drained, uvicorn raises the signal again; to stop when told is no failure here."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, server.handle_exit) for number in numbers}
    try:
        server.run(sockets=[listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

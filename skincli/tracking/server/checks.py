"""What can be told before a server is started, and sooner and plainer than by its log."""

import os
import socket
from importlib.util import find_spec
from typing import Final

from skincli.config.operating import TrackingConfig
from skincli.errors import UsageError
from skincli.progress import Progress
from skincli.tracking.server.backend import Backend
from skincli.tracking.server.bucket import require_bucket
from skincli.tracking.server.command import EVERYWHERE, LOOPBACK
from skincli.tracking.server.database import require_database

_SECRETS: Final = ("MLFLOW_AUTH_ADMIN_PASSWORD", "MLFLOW_FLASK_SERVER_SECRET_KEY")
_SHORTEST_PASSWORD: Final = 12  # MLflow's own rule


def require_startable(config: TrackingConfig, backend: Backend, progress: Progress) -> None:
    """Raises UsageError or SkincliError, with what to do, for all that would keep it from serving.

    Missing packages and secrets, hosts that nobody named, a taken port, a database that is locked,
    away or of another MLflow, a bucket that is missing or closed.
    """
    _require_packages(config, backend)
    _require_named_hosts(config)
    if config.auth:
        _require_secrets()
    elif config.host not in LOOPBACK:
        progress.warn(
            f"whoever reaches {config.host}:{config.port} may change everything: "
            "tracking.auth=true asks for a password"
        )
    _require_free_port(config)
    require_database(backend)
    if backend.bucket is not None:
        require_bucket(backend.bucket, config.s3_endpoint)


def _require_packages(config: TrackingConfig, backend: Backend) -> None:
    needed = {
        "flask": True,  # not there in a server install
        "psycopg": backend.database is None,
        "boto3": backend.bucket is not None,
        "flask_wtf": config.auth,
    }
    missing = [name for name, wanted in needed.items() if wanted and find_spec(name) is None]
    if missing:
        raise UsageError(
            f"this server needs the package {', '.join(missing)}",
            "install it with `pip install 'skincli[server]'`",
        )


def _require_named_hosts(config: TrackingConfig) -> None:
    if config.host in EVERYWHERE and not config.allowed_hosts:
        raise UsageError(
            f"tracking.host={config.host} is reached by names that this machine does not know",
            "say which, others are answered 403: tracking.allowed_hosts=[mlflow.example.org]",
        )


def _require_secrets() -> None:
    missing = [name for name in _SECRETS if not os.environ.get(name)]
    if missing:
        raise UsageError(
            f"tracking.auth=true needs {' and '.join(missing)} in the environment",
            "the first is the password of the user `admin`, the second any long random text",
        )
    if len(os.environ[_SECRETS[0]]) < _SHORTEST_PASSWORD:
        raise UsageError(f"{_SECRETS[0]} has fewer than {_SHORTEST_PASSWORD} characters")


def _require_free_port(config: TrackingConfig) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.host, config.port))
        except OSError as error:
            raise UsageError(
                f"{config.host}:{config.port} cannot be listened on: {error.strerror}",
                "choose another with tracking.port=PORT",
            ) from None

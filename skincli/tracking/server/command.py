"""The command line and the environment of MLflow's server. No secret is in either file or line."""

import os
import re
import sys
from collections.abc import Sequence
from typing import Final

from skincli.config.operating import TrackingConfig
from skincli.tracking.server.backend import Backend
from skincli.tracking.writing import write_atomically

EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 — what `tracking.host` may say, not a default
LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
# Ten job processes less, and nothing sent home.
_ENVIRONMENT: Final = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
}
# What every signed-in user may do to what others made. Its maker may do everything.
_PERMISSION: Final = "READ"
_PASSWORD_SECONDS: Final = 60


def server_command(config: TrackingConfig, backend: Backend) -> list[str]:
    command = [sys.executable, "-m", "mlflow", "server"]
    command += ["--backend-store-uri", backend.uri]
    command += ["--artifacts-destination", backend.artifacts]
    command += ["--host", config.host, "--port", str(config.port), "--workers", "1"]
    hosts = _named_hosts(config)
    if hosts:
        command += ["--allowed-hosts", ",".join([*hosts, *_with_port(LOOPBACK, config.port)])]
    origins = [f"{scheme}://{host}" for host in hosts for scheme in ("https", "http")]
    if origins or config.cors_origins:
        command += ["--cors-allowed-origins", ",".join([*origins, *config.cors_origins])]
    if config.auth:
        command += ["--app-name", "basic-auth"]
    return command


def server_environment(config: TrackingConfig, backend: Backend) -> dict[str, str]:
    """The user's own, which holds the secrets, and what the config adds to it."""
    environment = os.environ | _ENVIRONMENT
    if config.auth:
        environment["MLFLOW_AUTH_CONFIG_PATH"] = _write_auth_settings(backend)
    if config.s3_endpoint:
        environment["MLFLOW_S3_ENDPOINT_URL"] = config.s3_endpoint
    return environment


def _named_hosts(config: TrackingConfig) -> list[str]:
    """What clients call the server, empty where MLflow's own rule will do.

    That is: this machine and private addresses. It lets a browser read, but not write, from
    elsewhere: the page's own origin has to be allowed too.
    """
    named = list(config.allowed_hosts)
    if config.host not in (*LOOPBACK, *EVERYWHERE):
        named.append(config.host)
    return _with_port(named, config.port)


def _with_port(hosts: Sequence[str], port: int) -> list[str]:
    """Each as it is and with the port: a Host header is compared letter by letter."""
    bare = [host for host in hosts if not re.search(r":\d+$", host)]
    return [*hosts, *(f"{host}:{port}" for host in bare)]


def _write_auth_settings(backend: Backend) -> str:
    file = backend.home / "basic_auth.ini"
    users = backend.users_uri.replace("%", "%%")  # the file's own escape
    settings = {
        "default_permission": _PERMISSION,
        "database_uri": users,
        "admin_username": "admin",
        # A password is hashed anew for every request otherwise. The one worker that there is
        # forgets at once what is changed through it.
        "auth_cache_ttl_seconds": _PASSWORD_SECONDS,
    }
    lines = ["[mlflow]", *(f"{name} = {value}" for name, value in settings.items()), ""]
    write_atomically(file, "\n".join(lines))
    return str(file)

"""Reaching MLflow: its address made absolute, its clients made patient but not stubborn."""

import logging
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlparse

from skincli.config.operating import NO_STORE, TrackingConfig
from skincli.config.secrets import mask
from skincli.errors import ConfigError, SkincliError
from skincli.tracking.answering import require_server

if TYPE_CHECKING:
    from mlflow import MlflowClient

_SQLITE: Final = "sqlite:///"
_HINT: Final = "`skincli doctor` checks it"
# A client call to a dead server otherwise blocks for minutes. Measured with these: 0.03 s where
# nothing listens (two retries: 5 s), 40 s where the call is taken and never answered.
_ENVIRONMENT: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # Files pass through the server: a client needs no way to the bucket.
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


def database_file(config: TrackingConfig) -> Path | None:
    """The SQLite file of an embedded store, absolute; None where a server is named."""
    if not config.uri.startswith(_SQLITE):
        return None
    return Path(config.uri.removeprefix(_SQLITE)).absolute()


def absolute_uri(config: TrackingConfig) -> str:
    """The store's address: MLflow would otherwise follow every change of the working folder."""
    database = database_file(config)
    return config.uri if database is None else f"{_SQLITE}{database}"


def artifact_folder(config: TrackingConfig) -> Path | None:
    """Where an embedded store keeps artifacts: beside its database."""
    database = database_file(config)
    return None if database is None else database.parent / "mlartifacts"


def connect(config: TrackingConfig) -> "MlflowClient":
    """A client of the configured store.

    Raises ConfigError for `tracking.uri=none`, SkincliError when a server does not answer or a
    file cannot be opened as a database.
    """
    require_store(config)
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    uri = absolute_uri(config)
    database = database_file(config)
    if database is None:
        require_server(uri)
    else:
        _require_database(database)
    from mlflow import MlflowClient, set_registry_uri, set_tracking_uri

    for name in ("alembic", "mlflow", "urllib3"):  # who tells of every retry
        logging.getLogger(name).setLevel(logging.ERROR)
    # Artifacts of models are found through the global address, whatever the client's own.
    set_tracking_uri(uri)
    set_registry_uri(uri)
    with store_errors(config):
        return MlflowClient(uri, uri)


def experiment_id(client: "MlflowClient", config: TrackingConfig) -> str:
    """The id of the configured experiment, made with an explicit place for artifacts if new."""
    found = client.get_experiment_by_name(config.experiment)
    if found is not None:
        _require_reachable_artifacts(config, found.artifact_location)
        return str(found.experiment_id)
    folder = artifact_folder(config)
    location = folder.as_uri() if folder else None
    return str(client.create_experiment(config.experiment, artifact_location=location))


def require_store(config: TrackingConfig) -> None:
    """Raises ConfigError for `tracking.uri=none`."""
    if config.uri == NO_STORE:
        raise ConfigError(
            "tracking.uri=none keeps no registry: publish the run first with "
            "`skincli track publish RUN tracking.uri=STORE`",
            "then name that store here too, such as `tracking.uri=sqlite:///mlflow.db`",
        )


def require_lasting(config: TrackingConfig, environ: Mapping[str, str]) -> None:
    """Raises ConfigError for a database in the checkout of a job on a self-hosted runner.

    The next checkout removes what git does not know. The variables are those of GitHub's jobs:
    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    database, workspace = database_file(config), environ.get("GITHUB_WORKSPACE")
    if database is None or not workspace or environ.get("RUNNER_ENVIRONMENT") != "self-hosted":
        return
    if database.resolve().is_relative_to(Path(workspace).resolve()):
        raise ConfigError(
            f"tracking.uri={config.uri} lies in this job's checkout, which the next one wipes",
            "name a server, or a file that outlives the job: "
            "`SKINCLI__TRACKING__URI=sqlite:////skincli/mlflow.db`, as `skincli runner-setup` does",
        )


@contextmanager
def store_errors(config: TrackingConfig) -> Iterator[None]:
    """Say in plain words what MLflow, its database or its server complain about."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        first_line = re.sub(r"^\(.*?\) ", "", str(error).strip() or repr(error)).splitlines()[0]
        strange = "Invalid Host header" in str(error)
        raise SkincliError(
            f"the tracking store {mask(config.uri)} failed: {mask(first_line)}",
            "its own tracking.allowed_hosts has to name it" if strange else _HINT,
        ) from error


def _require_reachable_artifacts(config: TrackingConfig, location: str) -> None:
    """An experiment that was made beside a database keeps its files in a folder of that machine."""
    folder = Path(urlparse(location).path)
    if database_file(config) is None and location.startswith("file:") and not folder.is_dir():
        raise SkincliError(
            f"experiment `{config.experiment}` keeps its files in a folder of the server's machine",
            "take another with `tracking.experiment=NAME`: the server then keeps its files",
        )


def _require_database(file: Path) -> None:
    """MLflow tries to open what is no database for 100 s (measured)."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file, timeout=20)) as database:
            database.execute("pragma schema_version").fetchone()
    except (OSError, sqlite3.Error) as error:
        raise SkincliError(
            f"the tracking store `{file}` cannot be opened: {error}",
            "name another with `tracking.uri`; `tracking.uri=none` trains without",
        ) from None

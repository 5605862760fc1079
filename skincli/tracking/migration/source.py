"""The embedded store that is copied: its records by MLflow's client, its files on this machine."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlparse

from skincli.config.operating import TrackingConfig
from skincli.config.secrets import mask
from skincli.errors import SkincliError, UsageError
from skincli.tracking.models import DIGEST_TAG
from skincli.tracking.store import artifact_folder, connect, database_file, require_store
from skincli.tracking.stored_runs import end_stale_runs

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

_PROXIED: Final = "mlflow-artifacts:/"


@dataclass(frozen=True, slots=True)
class Source:
    """`artifacts` is where a server on this store keeps the files of what it made."""

    client: "MlflowClient"
    config: TrackingConfig
    database: Path
    artifacts: Path

    def experiments(self) -> list["Experiment"]:
        """All but the deleted ones."""
        return list(every(lambda token: self.client.search_experiments(page_token=token)))

    def runs(self, experiment: "Experiment") -> list["Run"]:
        """All runs, the deleted ones too, oldest first. Those of dead processes are ended."""
        from mlflow.entities import ViewType

        end_stale_runs(self.client, replace(self.config, experiment=experiment.name))
        place = [experiment.experiment_id]
        found = every(
            lambda token: self.client.search_runs(place, "", ViewType.ALL, page_token=token)
        )
        return sorted(found, key=lambda run: int(run.info.start_time))

    def folder(self, location: str) -> Path:
        """Where the files of a location lie. Raises SkincliError where that is another machine."""
        if location.startswith(_PROXIED):
            return self.artifacts / location.removeprefix(_PROXIED).lstrip("/")
        if location.startswith(("file:", "/")):
            return Path(unquote(urlparse(location).path))
        raise SkincliError(
            f"files at `{mask(location)}` are not on this machine",
            "`track migrate` copies from an SQLite store and a folder",
        )


def open_source(config: TrackingConfig) -> Source:
    """Raises UsageError unless the config names an SQLite file that is there."""
    require_store(config)
    database = database_file(config)
    folder = artifact_folder(config)
    if database is None or folder is None or not database.exists():
        raise UsageError(
            f"there is no embedded store at {mask(config.uri)}",
            "name the SQLite file to copy from: tracking.uri=sqlite:///FILE",
        )
    return Source(connect(config), config, database, Path(config.artifacts or folder).absolute())


def bundle_models(client: "MlflowClient", run: "Run") -> dict[str, str]:
    """The models that a run logged of bundles, oldest first: MLflow's id to the bundle's digest."""
    place, of_run = [run.info.experiment_id], f"source_run_id = '{run.info.run_id}'"
    found = every(lambda token: client.search_logged_models(place, of_run, page_token=token))
    in_turn = sorted(found, key=lambda model: int(model.creation_timestamp))
    return {str(m.model_id): m.tags[DIGEST_TAG] for m in in_turn if DIGEST_TAG in m.tags}


def every(page: Callable[[str | None], Any]) -> Iterator[Any]:
    """The items of all pages that a call gives, which is handed the token of the next one."""
    token: str | None = None
    while True:
        items = page(token)
        yield from items
        token = items.token
        if not token:
            return

"""From what a person calls a model to a verified bundle folder."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from skincli.bundle import SPEC_FILE, Bundle, open_bundle
from skincli.config.operating import NO_STORE
from skincli.config.schema import Config
from skincli.config.secrets import mask
from skincli.errors import ModelError
from skincli.tracking.fetching import fetch_bundle
from skincli.tracking.finding import find_run_folder, latest_finished
from skincli.tracking.models import DIGEST_TAG, metrics_of
from skincli.tracking.store import connect, store_errors
from skincli.tracking.stored_runs import find_run

if TYPE_CHECKING:
    from mlflow import MlflowClient

_RUN_ID: Final = re.compile(r"[0-9a-f]{32}")
_VERSION: Final = re.compile(r"models:/(?P<name>[^/@]+)(?:/(?P<version>\d+)|@(?P<alias>[^/@]+))")
_LATEST: Final = "latest"
_RESULT: Final = ".json"
_FORMS: Final = (
    "a run id, `latest`, `models:/NAME@ALIAS`, `models:/NAME/VERSION`, a bundle folder, "
    "or what `train --result` wrote"
)


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A verified bundle, what it was called, and where it stands in the store if it is there."""

    bundle: Bundle
    version: str | None
    run_id: str | None
    name: str


def resolve(config: Config, model: str) -> ResolvedModel:
    """Find, fetch and verify a model. Raises ModelError; SkincliError if the store is away.

    `latest` is the newest finished run under `run.root`; a `.json` file names the run that `train
    --result` wrote it about. With `tracking.uri=none` a run is looked for among the run folders.
    """
    if model == _LATEST:
        model = latest_finished(Path(config.run.root)).state().run_id
    if model.endswith(_RESULT):
        model = _run_in(Path(model))
    folder = Path(model)
    if model.startswith("models:/"):
        return _resolve_version(config, model)
    if _RUN_ID.fullmatch(model):
        if config.tracking.uri == NO_STORE:
            folder = find_run_folder(Path(config.run.root), model).path
        else:
            return _resolve_run(config, model)
    for candidate in (folder, folder / "bundle"):
        if (candidate / SPEC_FILE).is_file():
            bundle = open_bundle(candidate)
            return ResolvedModel(bundle, None, bundle.spec.lineage.run_id, model)
    raise ModelError(f"there is no model `{model}`", f"name {_FORMS}")


def _run_in(file: Path) -> str:
    """The run that a result of `train` is about. Raises ModelError."""
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["run_id"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"`{file}` names no run: {error}", "`skincli train --result FILE` writes one that does"
        ) from None


def find_version(client: "MlflowClient", uri: str) -> Any:
    """MLflow's record of `models:/NAME/VERSION` or `models:/NAME@ALIAS`. Raises ModelError."""
    from mlflow.exceptions import MlflowException

    match = _VERSION.fullmatch(uri)
    if match is None:
        raise ModelError(f"`{uri}` names no model", f"name {_FORMS}")
    name, number, alias = match["name"], match["version"], match["alias"]
    try:
        if number is not None:
            return client.get_model_version(name, number)
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        raise ModelError(
            f"there is no `{uri}` in the registry",
            "`skincli models list` shows what is there; `skincli promote RUN` makes a champion",
        ) from None


@dataclass(frozen=True, slots=True)
class NamedVersion:
    """What an alias names now. `metrics` are those of the evaluation that it was judged by."""

    version: str
    digest: str | None
    metrics: dict[str, float]


def named_version(config: Config, uri: str) -> NamedVersion:
    """The version that `models:/NAME@ALIAS` names now; fetches nothing.

    Raises ModelError where it names none, SkincliError if the store is away.
    """
    client = connect(config.tracking)
    with store_errors(config.tracking):
        record = find_version(client, uri)
    digest = record.tags.get(DIGEST_TAG)
    return NamedVersion(str(record.version), digest, metrics_of(record.tags))


def _resolve_version(config: Config, uri: str) -> ResolvedModel:
    client = connect(config.tracking)
    with store_errors(config.tracking):
        record = find_version(client, uri)
        digest = record.tags.get(DIGEST_TAG)
        name = f"models:/{record.name}/{record.version}"
        bundle = fetch_bundle(name, digest)
        run_id = record.run_id or bundle.spec.lineage.run_id
    return ResolvedModel(bundle, str(record.version), run_id, name)


def _resolve_run(config: Config, run_id: str) -> ResolvedModel:
    client = connect(config.tracking)
    with store_errors(config.tracking):
        run = find_run(client, run_id)
        if run is None:
            raise ModelError(
                f"there is no run `{run_id}` in {mask(config.tracking.uri)}",
                f"`skincli track publish {run_id}` sends one that was trained without it",
            )
        bundle = fetch_bundle(f"models:/{logged_model_id(run)}", run.data.tags.get(DIGEST_TAG))
    return ResolvedModel(bundle, None, run.info.run_id, run_id)


def logged_model_id(run: Any) -> str:
    """MLflow's id of the newest model that a run logged. Raises ModelError if it has none."""
    models = run.outputs.model_outputs if run.outputs else []
    if not models:
        raise ModelError(
            f"run `{run.info.run_id}` ({run.info.status}) has no model",
            "`skincli track publish RUN` sends what is missing here, `skincli train --resume` "
            "finishes a run",
        )
    return str(models[-1].model_id)

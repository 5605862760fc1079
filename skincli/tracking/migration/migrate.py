"""The verb `track migrate`: experiments, runs, files, bundles, versions and aliases, all proved."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from skincli.config.operating import TrackingConfig
from skincli.config.secrets import has_credentials, mask
from skincli.errors import UsageError
from skincli.progress import Progress
from skincli.tracking.locking import exclusively
from skincli.tracking.migration.registry import copy_registered_model, registered_models
from skincli.tracking.migration.runs import Copy, copy_run
from skincli.tracking.migration.source import Source, open_source
from skincli.tracking.store import (
    absolute_uri,
    connect,
    experiment_id,
    require_store,
    store_errors,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True, slots=True)
class MigrateResult:
    """What the target holds now of the source, each read back and found the same.

    `copied` counts the runs that this call had to copy, `left_out` says what was not and why.
    """

    target: str
    experiments: int
    runs: int
    metrics: int
    files: int
    bundles: int
    versions: int
    aliases: int
    copied: int
    left_out: tuple[str, ...]


def migrate(config: TrackingConfig, to: str, progress: Progress) -> MigrateResult:
    """Copy the embedded store of `config` into the store `to`; a second time copies what is new.

    Interrupted, it goes on where it was. Deleted runs are copied as deleted. Runs that are under
    way, traces and models that are no bundles are left out. Credentials for `to` come from the
    environment. Raises UsageError, ConfigError for what cannot be copied from or to; SkincliError
    when the target fails or does not hold the same afterwards.
    """
    target = _target(config, to)
    source = open_source(config)
    busy, hint = "another command copies this store already", "wait for its end"
    with (
        exclusively(source.database.parent / ".skincli" / "migrate.lock", busy, hint),
        store_errors(target),
    ):
        client = connect(target)  # after the source: files are sent to the store named last
        copies, left_out = _copy_runs(source, client, target, progress)
        models = {old: new for copy in copies.values() for old, new in copy.models.items()}
        runs = {old: copy.run_id for old, copy in copies.items()}
        registry = registered_models(source.client)
        for model, versions in registry:
            left_out += copy_registered_model(client, model, versions, models, runs)
        for reason in left_out:
            progress.warn(f"left out: {reason}")
    contents = [copy.content for copy in copies.values()]
    missing = [reason.partition(" ")[0] for reason in left_out]
    return MigrateResult(
        target=str(mask(absolute_uri(target))),
        experiments=len(source.experiments()),
        runs=len(copies),
        metrics=sum(len(content.metrics) for content in contents),
        files=sum(len(content.files) for content in contents),
        bundles=len(models),
        versions=sum(len(versions) for _, versions in registry) - missing.count("version"),
        aliases=sum(len(model.aliases) for model, _ in registry) - missing.count("alias"),
        copied=sum(copy.fresh for copy in copies.values()),
        left_out=tuple(left_out),
    )


def _target(config: TrackingConfig, to: str) -> TrackingConfig:
    """The config of the target. Raises UsageError when it is no store, or the source itself."""
    if has_credentials(to):
        raise UsageError(
            "`--to` holds a password",
            "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD in the environment",
        )
    try:
        target = TrackingConfig(uri=to)
    except ValueError:
        raise UsageError(
            f"`--to {to}` is no store", "sqlite:///FILE or an http(s) address"
        ) from None
    require_store(target)
    if absolute_uri(target) == absolute_uri(config):
        raise UsageError("the store to copy to is the one to copy from", "name another with `--to`")
    return target


def _copy_runs(
    source: Source, client: "MlflowClient", target: TrackingConfig, progress: Progress
) -> tuple[dict[str, Copy], list[str]]:
    """The copies by the ids of their runs, and what was left out."""
    experiments = [(each, source.runs(each)) for each in source.experiments()]
    copies: dict[str, Copy] = {}
    left_out = []
    with progress.step("Copying runs", sum(len(runs) for _, runs in experiments)) as step:
        for experiment, runs in experiments:
            place = experiment_id(client, replace(target, experiment=experiment.name))
            for name, text in experiment.tags.items():
                client.set_experiment_tag(place, name, text)
            for run in runs:
                run_id, files = str(run.info.run_id), source.folder(run.info.artifact_uri)
                if run.info.status == "RUNNING":
                    left_out.append(f"run {run_id}: it is under way")
                else:
                    copies[run_id] = copy_run(source, client, run, place, copies)
                    if not files.is_dir():
                        left_out.append(f"files of run {run_id}: there is no `{files}`")
                step.advance(run=run.info.run_name or "")
    return copies, left_out

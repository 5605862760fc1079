"""Going on with a run that was cut off: which one, and whether it may be gone on with."""

import json
from pathlib import Path

import yaml

from skincli.config.load import flatten, resolved_dict
from skincli.config.schema import Config
from skincli.errors import ConfigError, UsageError
from skincli.tracking.run_folder import RunFolder, unfinished_runs
from skincli.training.checkpoints import LAST
from skincli.training.environment import git_commit

# What may differ between the two halves of a run: what is around it, and where a person resumes it
# how long it goes on.
_LENGTH = ("trainer.max_epochs", "trainer.patience")
_FREE = (
    "checkpoint.every",
    *("data.mirror", "data.root", "data.device_cache", "run.root", "run.name"),
)
_FREE_SECTIONS = (
    *("tracking.", "registry.", "serve.", "runner.", "evaluate.", "inference.", "int8.", "tune."),
    *("promotion.", "versioning."),
)


def find_run_to_resume(config: Config, split_fingerprint: str) -> RunFolder:
    """The newest unfinished run of this config and split.

    One that was killed before its first checkpoint begins again, unless another has one. Raises
    UsageError when there is none, ConfigError naming what differs when there are only others.
    """
    refusals: list[str] = []
    runs = list(unfinished_runs(Path(config.run.root)))
    for folder in sorted(runs, key=has_checkpoint, reverse=True):
        refusal = _refusal(folder, config, split_fingerprint, free=(*_FREE, *_LENGTH))
        if not refusal:
            return folder
        refusals.append(f"the run in `{folder.path}` cannot go on: {refusal}")
    if refusals:
        raise ConfigError(
            refusals[0],
            "repeat the overrides of its start, or begin a new run without `--resume`",
        )
    raise UsageError(
        f"there is no unfinished run in `{config.run.root}`", "start one with `skincli train`"
    )


def find_run_cut_off(config: Config, split_fingerprint: str) -> RunFolder | None:
    """The newest unfinished run with a checkpoint, of this config, split and commit, if any.

    Its length must be the same too, unlike where a person resumes. For whoever cannot look first,
    such as a job that may be the second try of one that was ended.
    """
    for folder in unfinished_runs(Path(config.run.root)):
        same = has_checkpoint(folder) and _commit(folder) == git_commit()
        if same and not _refusal(folder, config, split_fingerprint, free=_FREE):
            return folder
    return None


def has_checkpoint(folder: RunFolder) -> bool:
    return (folder.checkpoints / LAST).is_file()


def _commit(folder: RunFolder) -> str | None:
    """The commit that a run began with, None where it was cut off before that was written."""
    try:
        return str(json.loads(folder.environment.read_text())["git_commit"])
    except (OSError, ValueError, KeyError):
        return None


def _refusal(
    folder: RunFolder, config: Config, split_fingerprint: str, free: tuple[str, ...]
) -> str:
    """Why a run may not go on; empty if it may. Another split would leak test lesions into it."""
    before = dict(flatten(yaml.safe_load(folder.config.read_text())))
    now = dict(flatten(resolved_dict(config)))
    changed = [
        f"{key} was {before[key]!r} and is {now[key]!r}"
        for key in now
        if key in before
        and before[key] != now[key]
        and key not in free
        and not key.startswith(_FREE_SECTIONS)
    ]
    if not changed and folder.state().split_fingerprint != split_fingerprint:
        changed = ["its data have changed since it began"]
    done = len(folder.read_metrics())
    if not changed and done > config.trainer.max_epochs:
        changed = [f"it has {done} epochs already, trainer.max_epochs={config.trainer.max_epochs}"]
    return "; ".join(changed)

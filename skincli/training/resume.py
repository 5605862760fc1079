"""Going on with a run that was cut off: which one, and whether it may be gone on with."""

from pathlib import Path

import yaml

from skincli.config.load import flatten, resolved_dict
from skincli.config.schema import Config
from skincli.errors import ConfigError, UsageError
from skincli.tracking.run_folder import RunFolder, unfinished_runs

# What may differ between the two halves of a run: how long it goes on, and what is around it.
_FREE = ("trainer.max_epochs", "trainer.patience", "data.mirror", "data.root", "run.root")
_FREE_SECTIONS = ("tracking.", "registry.", "serve.", "runner.", "evaluate.", "inference.")


def find_run_to_resume(config: Config) -> RunFolder:
    """The newest unfinished run with a checkpoint. Raises UsageError, ConfigError."""
    for folder in unfinished_runs(Path(config.run.root)):
        if (folder.checkpoints / "last.ckpt").is_file():
            _require_same_config(folder, config)
            return folder
    raise UsageError(
        f"there is no unfinished run with a checkpoint in `{config.run.root}`",
        "start one with `skincli train`",
    )


def _require_same_config(folder: RunFolder, config: Config) -> None:
    before = dict(flatten(yaml.safe_load(folder.config.read_text())))
    now = dict(flatten(resolved_dict(config)))
    changed = [
        f"{key} was {before[key]!r} and is {now[key]!r}"
        for key in now
        if key in before
        and before[key] != now[key]
        and key not in _FREE
        and not key.startswith(_FREE_SECTIONS)
    ]
    if changed:
        raise ConfigError(
            f"the run in `{folder.path}` cannot go on with another config: {'; '.join(changed)}",
            "repeat the overrides of its start, or begin a new run without `--resume`",
        )

"""The best trial as an experiment: a YAML that `skincli train experiment=STUDY` finds."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from skincli.config.changing import with_values
from skincli.config.groups import group_options
from skincli.config.load import load_config
from skincli.config.schema import Config
from skincli.config.tuning import TuneConfig
from skincli.errors import ConfigError
from skincli.tracking.writing import write_atomically
from skincli.tuning.ranges import LAYER
from skincli.tuning.records import TrialRecord
from skincli.tuning.settings import training_settings


def output_file(tune: TuneConfig) -> Path:
    """Where the best trial is written, absolute. Raises ConfigError if something else is there.

    A study may not bear the name of an experiment that it did not write: its own would hide it.
    """
    path = Path(tune.output or f"configs/experiment/{tune.study}.yaml").absolute()
    if path.is_file():
        if path.read_text(encoding="utf-8").startswith(_first_line(tune.study)):
            return path
        raise ConfigError(
            f"`{path}` was not written by study `{tune.study}` and is left alone",
            "set tune.study or tune.output to another name",
        )
    if tune.output is None and tune.study in group_options("experiment", Path.cwd()):
        raise ConfigError(
            f"there is an experiment `{tune.study}` already, which the study's would hide",
            "set tune.study or tune.output to another name",
        )
    return path


def write_experiment(config: Config, trials: Sequence[TrialRecord], best: TrialRecord) -> Path:
    """Write the settings of `best`, as far as they are no defaults. Raises OSError."""
    path = output_file(config.tune)
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = _settings(config, best)
    text = _header(config.tune, trials, best) + yaml.safe_dump(
        _nested(settings), sort_keys=False, allow_unicode=True
    )
    write_atomically(path, text)
    return path


def caution(config: Config, best: TrialRecord) -> str:
    """A sentence where what was written composes to something else in this folder, else empty."""
    tune = config.tune
    try:
        composed = (
            load_config([f"experiment={tune.study}"])
            if tune.output is None
            else load_config(file=output_file(tune))
        )
    except ConfigError as error:
        return f"the best trial cannot be composed here: {error.message}"
    found = training_settings(composed.config)
    other = [
        f"{key} ({composed.origins.get(key, 'default')})"
        for key, value in _settings(config, best).items()
        if found[key] != value
    ]
    return f"other layers outvote the best trial: {', '.join(other)}" if other else ""


def _settings(config: Config, best: TrialRecord) -> dict[str, Any]:
    """What was drawn, and what else is no default."""
    defaults = training_settings(Config())
    chosen = training_settings(with_values(config, best.values, LAYER))
    return {k: v for k, v in chosen.items() if k in best.values or v != defaults[k]}


def _nested(settings: dict[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in settings.items():
        *sections, name = key.split(".")
        node = tree
        for section in sections:
            node = node.setdefault(section, {})
        node[name] = value
    return tree


def _first_line(study: str) -> str:
    return f"# The best trial of study `{study}`, written by `skincli tune`"


def _header(tune: TuneConfig, trials: Sequence[TrialRecord], best: TrialRecord) -> str:
    lines = [
        f"{_first_line(tune.study)} on {datetime.now(UTC):%Y-%m-%d}:",
        f"# trial {best.number} of {len(trials)}, {tune.metric} {best.value:.4f}, chosen for this "
        "figure and so optimistic.",
        "# Searched:",
        *(f"#   {text}" for text in tune.ranges),
    ]
    return "\n".join(lines) + "\n"

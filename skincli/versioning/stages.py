"""`dvc.yaml` and `params.yaml`: the stages prepare → train → evaluate, and what decides them.

`params.yaml` is a config file of skincli's, and the stages run skincli's own commands with it, so
`dvc repro` does what they do. Where things lie and what they run on decides nothing: it is left
out.
"""

import os
from pathlib import Path
from typing import Any, Final

from skincli.config.load import flatten, resolved_dict
from skincli.config.schema import Config
from skincli.errors import UsageError
from skincli.versioning.pointers import read_yaml, write_yaml
from skincli.versioning.tracked import Tracked

STAGES_FILE: Final = "dvc.yaml"
PARAMS_FILE: Final = "params.yaml"
TRAINING_FILE: Final = "training.json"
EVALUATION_FILE: Final = "evaluation.json"
PREPARE: Final = "prepare"
_HEAD: Final = "# Written by `skincli data version`"
_PREPARED_BY: Final = (
    *("image", "data.source", "data.name", "data.image_size", "data.crop", "data.split"),
    *("data.folds", "data.fold", "data.parts"),
)
_TRAINED_BY: Final = (
    *("task", "seed", "data.batch_size", "model", "loss", "optimizer", "augment", "train"),
    *("trainer.precision", "trainer.max_epochs", "trainer.patience", "checkpoint.keep"),
    *("calibration", "export"),
)
_EVALUATED_BY: Final = ("evaluate.resamples", "evaluate.seed", "evaluate.subgroup_lesions")


def params_of(config: Config, here: Path) -> dict[str, Any]:
    """The settings that decide a stage, nested as in a config file."""
    tree = resolved_dict(config)
    _make_relative(tree["data"]["folder"], here)
    chosen: dict[str, Any] = {}
    for key in (*_prepared_by(config), *_TRAINED_BY, *_EVALUATED_BY):
        *sections, last = key.split(".")
        source, target = tree, chosen
        for section in sections:
            source, target = source[section], target.setdefault(section, {})
        target[last] = source[last]
    return chosen


def stages_of(config: Config, tracked: Tracked) -> dict[str, Any]:
    """The three stages as `dvc.yaml` has them."""
    settings = f"--config {PARAMS_FILE}"
    if config.data.root != "data":
        settings += f" data.root={tracked.relative(Path(config.data.root).absolute())}"
    raw = [tracked.relative(path) for path in tracked.raw]
    prepared, splits = map(tracked.relative, (tracked.folder.prepared, tracked.folder.splits))
    # The record of a fetch from the user's own folder names its place on this machine.
    fetch = f"skincli data fetch {settings}"
    pack = f"skincli data prepare {settings}"
    weights = [config.model.weights] if config.model.weights else []
    return {
        PREPARE: {
            "cmd": [fetch, pack] if config.data.source == "folder" else pack,
            "deps": raw,
            "params": list(_prepared_by(config)),
            # Kept from one time to the next: splits are extended, packs go on where they stopped.
            "outs": [{path: {"persist": True}} for path in map(tracked.relative, tracked.made)],
        },
        "train": {
            "cmd": f"skincli train {settings} --result {TRAINING_FILE}",
            "deps": [prepared, splits, *weights],
            "params": list(_TRAINED_BY),
            "outs": [{TRAINING_FILE: {"cache": False}}],
        },
        "evaluate": {
            "cmd": f"skincli evaluate {TRAINING_FILE} {settings} --figures {EVALUATION_FILE}",
            "deps": [prepared, splits, TRAINING_FILE],
            "params": list(_EVALUATED_BY),
            "metrics": [{EVALUATION_FILE: {"cache": False}}],
        },
    }


def write_stages(config: Config, tracked: Tracked) -> None:
    """Bring `dvc.yaml` and `params.yaml` up to date; stages of other names stay.

    Raises UsageError where the files are somebody else's, or another data set's.
    """
    params_file, stages_file = tracked.here / PARAMS_FILE, tracked.here / STAGES_FILE
    stages, params = stages_of(config, tracked), params_of(config, tracked.here)
    before = read_yaml(stages_file)
    kept = before.get("stages") or {}
    _require_own(kept, stages, stages_file)
    if params_file.exists() and not params_file.read_text(encoding="utf-8").startswith(_HEAD):
        raise UsageError(
            f"`{params_file}` is not skincli's, which would write its settings there",
            "rename it, or work in a folder of its own within the repository",
        )
    if read_yaml(params_file) != params:
        write_yaml(params_file, params, f"{_HEAD}: what decides the stages of {STAGES_FILE}.\n")
    if any(kept.get(name) != stage for name, stage in stages.items()):
        write_yaml(stages_file, {**before, "stages": {**kept, **stages}}, f"{_HEAD}.\n")


def disagreements(config: Config, here: Path) -> list[str]:
    """The keys to which `params.yaml` gives another value than the config has."""
    written = dict(flatten(read_yaml(here / PARAMS_FILE)))
    wanted = dict(flatten(params_of(config, here)))
    return sorted(key for key in wanted if written and written.get(key) != wanted[key])


def _prepared_by(config: Config) -> tuple[str, ...]:
    """The keys that decide what `prepare` makes, with those of the source that is used."""
    own = f"data.{config.data.source}"
    return (*_PREPARED_BY, own) if hasattr(config.data, config.data.source) else _PREPARED_BY


def _make_relative(folder: dict[str, Any], here: Path) -> None:
    for name in ("images", "metadata"):
        if folder[name] is not None:
            folder[name] = Path(os.path.relpath(folder[name], here)).as_posix()


def _require_own(kept: dict[str, Any], stages: dict[str, Any], file: Path) -> None:
    there = kept.get(PREPARE)
    if there is not None and there.get("outs") != stages[PREPARE]["outs"]:
        raise UsageError(
            f"the stage `{PREPARE}` in `{file}` is of another data set, or not skincli's",
            "give this set a folder of its own within the repository, and work there",
        )

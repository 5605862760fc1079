"""`dvc.yaml` and `params.yaml`: the stages prepare → train → evaluate, and what decides them.

`params.yaml` is a config file of skincli's, and the stages run skincli's own commands with it, so
`dvc repro` does what they do. Where things lie and what they run on decides nothing: it is left
out. The pack is the one in use, so that others beside it are nobody's concern; splits are versioned
with all that was ever dealt.
"""

import os
from pathlib import Path
from typing import Any, Final

from skincli.config.load import PROJECT_FILE, flatten, resolved_dict
from skincli.config.schema import Config
from skincli.data.splitting.stored import split_key
from skincli.errors import UsageError
from skincli.versioning.pointers import read_yaml, write_yaml
from skincli.versioning.tracked import Tracked

STAGES_FILE: Final = "dvc.yaml"
PARAMS_FILE: Final = "params.yaml"
TRAINING_FILE: Final = "training.json"
EVALUATION_FILE: Final = "evaluation.json"
PREPARE: Final = "prepare"
_HEAD: Final = "# Written by `skincli data version`"
# Git keeps them, and those of before stay until a stage has ended.
_FIGURES: Final = {"cache": False, "persist": True}
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


def stages_of(config: Config, tracked: Tracked, pack: str) -> dict[str, Any]:
    """The three stages as `dvc.yaml` has them; `pack` is the name of the packed set in use."""
    settings = f"--config {PARAMS_FILE}"
    if config.data.root != "data":
        settings += f" data.root={tracked.relative(Path(config.data.root).absolute())}"
    check = f"skincli data check-params {settings}"
    # The record of a fetch from the user's own folder names its place on this machine.
    fetch = [f"skincli data fetch {settings}"] if config.data.source == "folder" else []
    raw = [tracked.relative(path) for path in tracked.raw]
    # An edit of it is to be noticed: check-params tells what of it has to get to params.yaml.
    edited = [PROJECT_FILE] if (tracked.here / PROJECT_FILE).is_file() else []
    packed = tracked.relative(tracked.folder.prepared / pack)
    split = tracked.relative(tracked.folder.splits / split_key(config.data))
    weights = [config.model.weights] if config.model.weights else []
    return {
        PREPARE: {
            "cmd": [check, *fetch, f"skincli data prepare {settings}"],
            "deps": [*raw, *edited],
            "params": list(_prepared_by(config)),
            "outs": _outs(tracked, pack),
        },
        "train": {
            "cmd": [check, f"skincli train {settings} --result {TRAINING_FILE}"],
            "deps": [*raw, packed, split, *weights],
            "params": [*_prepared_by(config), *_TRAINED_BY],
            "outs": [{TRAINING_FILE: _FIGURES}],
        },
        "evaluate": {
            "cmd": [
                check,
                f"skincli evaluate {TRAINING_FILE} {settings} --figures {EVALUATION_FILE}",
            ],
            "deps": [packed, split, TRAINING_FILE],
            "params": list(_EVALUATED_BY),
            "metrics": [{EVALUATION_FILE: _FIGURES}],
        },
    }


def write_pipeline(config: Config, tracked: Tracked, pack: str) -> None:
    """Bring `dvc.yaml` and `params.yaml` up to date; stages of other names stay.

    Raises UsageError where the files are somebody else's, or another data set's.
    """
    file, params = tracked.here / PARAMS_FILE, params_of(config, tracked.here)
    _require_own(tracked)
    if file.exists() and not file.read_text(encoding="utf-8").startswith(_HEAD):
        raise UsageError(
            f"`{file}` is not skincli's, which would write its settings there",
            "give it another name",
        )
    if read_yaml(file) != params:
        write_yaml(file, params, f"{_HEAD}: what decides the stages of {STAGES_FILE}.\n")
    write_stages(config, tracked, pack)


def write_stages(config: Config, tracked: Tracked, pack: str) -> None:
    """Bring `dvc.yaml` alone up to date. Raises UsageError where it is another data set's."""
    _require_own(tracked)
    file, stages = tracked.here / STAGES_FILE, stages_of(config, tracked, pack)
    before = read_yaml(file)
    kept = before.get("stages") or {}
    if any(kept.get(name) != stage for name, stage in stages.items()):
        write_yaml(file, {**before, "stages": {**kept, **stages}}, f"{_HEAD}.\n")


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


def _outs(tracked: Tracked, pack: str) -> list[dict[str, Any]]:
    """Kept from one time to the next: splits are extended, packs go on where they stopped."""
    folder = tracked.folder.prepared
    paths = (folder / pack if path == folder else path for path in tracked.made)
    return [{tracked.relative(path): {"persist": True}} for path in paths]


def _require_own(tracked: Tracked) -> None:
    file = tracked.here / STAGES_FILE
    stage = (read_yaml(file).get("stages") or {}).get(PREPARE)
    if stage is not None and tracked.relative(tracked.folder.splits) not in {
        path for out in stage.get("outs") or () for path in out
    }:
        raise UsageError(
            f"the stage `{PREPARE}` in `{file}` is of another data set, or not skincli's",
            "give this set a repository of its own",
        )

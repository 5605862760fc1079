"""The verb `tune`: ranges in, trials that are ordinary runs, the best as an experiment out."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from skincli.config.schema import Config
from skincli.config.secrets import mask
from skincli.data import prepare
from skincli.errors import ConfigError, SkincliError, UsageError
from skincli.progress import Progress
from skincli.tracking.run_folder import RunFolder
from skincli.tracking.runs import RunRecorder, recorded_run
from skincli.tracking.store import database_file
from skincli.tuning.quiet import TrialProgress
from skincli.tuning.ranges import Range, extremes, read_ranges
from skincli.tuning.records import TuneResult
from skincli.tuning.report import announce, keep_report, keep_trial
from skincli.tuning.search import Attempt, Kept, OnEpoch, search
from skincli.tuning.settings import training_settings
from skincli.tuning.writing import caution, output_file

if TYPE_CHECKING:
    from skincli.tuning.study import Study

_PARENT: Final = "parent"
# What the features of a probe and its head depend on.
_PROBED: Final = (
    *("model.backbone", "model.pretrained", "model.weights", "model.width", "model.stem_stride"),
    *("model.test_time_augmentation", "loss.class_weight_power", "data.image_size", "data.crop"),
)


def tune(config: Config, progress: Progress) -> TuneResult:
    """Search `tune.ranges`, or go on searching, until there are `tune.trials` trials in all.

    The best is written after every trial: a search that is cut off leaves one too. Raises
    ConfigError before any work is done, SkincliError when no trial could be completed, and what
    `search` raises.
    """
    ranges = _require_sense(config)
    from skincli.tuning.opening import open_study

    manifest = prepare(config, progress).prepared.manifest
    split = manifest.split_fingerprint
    with open_study(config, ranges, _made_for(config, ranges, split)) as study:
        name, earlier = f"tune-{config.tune.study}", _earlier(study, config)
        with recorded_run(config, name, split, earlier, progress, kind="search") as recorder:
            folder = recorder.folder.path
            study.keep_note(_PARENT, {"folder": str(folder), "tracking": _store(config)})
            announce(config, manifest, recorder, len(study.records()), progress)
            attempt = _attempt(recorder, progress)
            for record in search(study, config, attempt, progress):
                keep_trial(config, recorder, study.records(), record)
            trials = study.records()
            best = keep_report(config, ranges, recorder, trials)
    return TuneResult(
        study=config.tune.study,
        metric=config.tune.metric,
        trials=trials,
        best=best,
        output=output_file(config.tune),
        caution=caution(config, best),
        run_id=recorder.run_id,
        folder=folder,
        synthetic=manifest.synthetic,
    )


def _require_sense(config: Config) -> tuple[Range, ...]:
    """The ranges, if everything that can be known to be wrong before the first trial is right."""
    ranges = read_ranges(config)
    output_file(config.tune)
    if config.trainer.processes > 1:
        raise ConfigError("a trial is one process", "set trainer.devices=1 trainer.num_nodes=1")
    if config.tune.file == database_file(config.tracking):
        raise ConfigError("tune.storage and tracking.uri name one file", "set another tune.storage")
    if config.train.mode == "probe":
        _require_probed(ranges)
    if find_spec("optuna") is None:
        raise UsageError("a search needs Optuna", "install it: `pip install 'skincli[tune]'`")
    from skincli.models.backbones import check_backbone

    for extreme in extremes(config, ranges):
        check_backbone(extreme.model)
    return ranges


def _require_probed(ranges: tuple[Range, ...]) -> None:
    idle = [each.key for each in ranges if each.key not in _PROBED]
    if idle:
        raise ConfigError(
            f"tune.ranges: `{idle[0]}` changes nothing with train.mode=probe",
            f"{', '.join(_PROBED)} do, or set train.mode=full",
        )


def _made_for(config: Config, ranges: tuple[Range, ...], split: str) -> Mapping[str, Any]:
    """What must not change between two starts of a study, for its values to be comparable."""
    searched = {each.key for each in ranges}
    return {
        "tune.metric": config.tune.metric,
        "tune.ranges": list(config.tune.ranges),
        **{k: v for k, v in training_settings(config).items() if k not in searched},
        "the split": split,
    }


def _earlier(study: "Study", config: Config) -> RunFolder | None:
    """The run of the study's first start, if it is still there and in the same store."""
    note = study.notes.get(_PARENT)
    if note is None or note["tracking"] != _store(config):
        return None
    folder = RunFolder(Path(note["folder"]))
    return folder if folder.path.is_dir() else None


def _store(config: Config) -> str:
    return str(mask(config.tracking.uri))


def _attempt(recorder: RunRecorder, progress: Progress) -> Attempt:
    quiet = TrialProgress(progress)

    def attempt(config: Config, on_epoch: OnEpoch) -> Kept:
        from skincli.training.train import train

        result = train(config, quiet, on_epoch=on_epoch, parent=recorder.run_id)
        if result is None:  # only of several processes, which `_require_sense` refuses
            raise SkincliError("the trial was trained by another process")
        return Kept(result.run_id, result.best_epoch - 1)

    return attempt

"""What a search leaves in its run: a row and a point per trial, then the best and a picture."""

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path

from skincli.config.schema import Config
from skincli.data import Manifest
from skincli.errors import SkincliError
from skincli.progress import Progress
from skincli.tracking.runs import RunRecorder
from skincli.tuning.picture import draw_search
from skincli.tuning.ranges import Range
from skincli.tuning.records import TrialRecord, ranked
from skincli.tuning.writing import output_file, write_experiment


def announce(
    config: Config, manifest: Manifest, recorder: RunRecorder, done: int, progress: Progress
) -> None:
    """Say what is searched, by what, on what, and where it goes."""
    tune = config.tune
    probing = config.train.mode == "probe"
    work = "a linear probe" if probing else f"{config.trainer.max_epochs} epochs"
    base = f"{config.model.backbone}, {work}"
    progress.panel(
        f"Study {tune.study}",
        [
            ("ranges", "\n".join(tune.ranges)),
            ("figure", f"{tune.metric}; the test part is not looked at"),
            ("trials", f"{tune.trials} of {base} each" + (f", {done} are done" if done else "")),
            ("data", f"{manifest.name}, split {manifest.split_fingerprint[:12]}"),
            ("run", f"{recorder.run_id} in {recorder.folder.path}"),
            ("the best", str(output_file(tune))),
        ],
    )


def keep_trial(
    config: Config, recorder: RunRecorder, trials: Sequence[TrialRecord], new: TrialRecord
) -> None:
    """Record a trial that has just ended, and write the best so far."""
    if new.state == "complete" and new.value is not None:
        best = ranked(trials)[0]
        metric = config.tune.metric
        figures = {metric: new.value, f"best_{metric}": best.value or new.value}
        recorder.metrics(figures, new.number)
        write_experiment(config, trials, best)


def keep_report(
    config: Config,
    ranges: Sequence[Range],
    recorder: RunRecorder,
    trials: Sequence[TrialRecord],
) -> TrialRecord:
    """Write the table, the picture and the best trial, which is returned.

    Raises SkincliError when no trial was completed.
    """
    table = recorder.folder.path / "trials.csv"
    _write_table(table, trials, [each.key for each in ranges])
    recorder.file(table)
    best = next(iter(ranked(trials)), None)
    if best is None:
        raise SkincliError("no trial was completed", f"`{table}` says why for each")
    metric, study = config.tune.metric, config.tune.study
    drawn = recorder.folder.path / "search.png"
    draw_search(trials, ranges, metric, f"study {study}, {len(trials)} trials", drawn)
    recorder.file(drawn)
    written = write_experiment(config, trials, best)
    kept = recorder.folder.path / "best.yaml"
    shutil.copyfile(written, kept)
    recorder.file(kept)
    values = {f"best.{key}": str(value) for key, value in best.values.items()}
    recorder.tags({"best.trial": str(best.number), f"best.{metric}": str(best.value), **values})
    return best


def _write_table(path: Path, trials: Sequence[TrialRecord], keys: Sequence[str]) -> None:
    columns = ("number", "state", "value", "epochs", "seconds", "run_id", "reason")
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*columns, *keys])
        for trial in trials:
            facts = [getattr(trial, column) for column in columns]
            writer.writerow([*facts, *(trial.values[key] for key in keys)])

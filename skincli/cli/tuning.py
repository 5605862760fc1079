"""`skincli tune`."""

import shlex
from typing import TYPE_CHECKING

import typer

from skincli.cli.figures import SYNTHETIC_NOTICE
from skincli.cli.options import ConfigFile, Debug, Json, Overrides
from skincli.cli.session import Session, session

if TYPE_CHECKING:
    from skincli.tuning.records import TrialRecord, TuneResult

_SHOWN = 5
# What an experiment does not say: where things are. The rest of the command line is in it.
_PLACES = ("data.root=", "data.mirror=", "tracking.", "registry.", "run.root=")


def add_to(app: typer.Typer) -> None:
    app.command()(tune)


def tune(
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Search settings within ranges, such as tune=recipe; the same command goes on with it."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.tuning.tune import tune as run

        result = run(s.config, s.progress)
        s.output.result(result, _lines(result))
        _show_table(s, result)
        if result.caution:
            s.progress.warn(result.caution)
        s.output.next(_train_command(s, result))


def _lines(result: "TuneResult") -> list[str]:
    states = [trial.state for trial in result.trials]
    counts = ", ".join(
        f"{states.count(state)} {state}"
        for state in ("complete", "pruned", "failed")
        if state in states
    )
    metric = result.metric.replace("_", " ")
    lines = [
        f"Study {result.study}: {len(states)} trials ({counts}); the best is trial "
        f"{result.best.number} with {metric} {result.best.value:.4f}, run {result.best.run_id}",
        f"Written to {result.output}; the search is run {result.run_id} in {result.folder} "
        "(see search.png)",
        "The best of many trials is optimistic on the validation part that chose it: only the "
        "test part says what it is worth",
    ]
    return [*lines, SYNTHETIC_NOTICE] if result.synthetic else lines


def _show_table(s: Session, result: "TuneResult") -> None:
    from skincli.tuning.records import ranked

    keys = list(result.best.values)
    rows = [_cells(trial, keys) for trial in ranked(result.trials)[:_SHOWN]]
    s.output.table(["trial", result.metric.removeprefix("validation_"), *keys], rows)


def _cells(trial: "TrialRecord", keys: list[str]) -> list[str]:
    from skincli.tuning.search import shown

    drawn = [shown(trial.values[key]) for key in keys]
    return [str(trial.number), f"{trial.value:.4f}", *drawn]


def _train_command(s: Session, result: "TuneResult") -> str:
    named = s.config.tune.output is None
    best = [f"experiment={result.study}"] if named else ["--config", str(result.output)]
    places = [word for word in s.words if word.startswith(_PLACES)]
    return shlex.join(["skincli", "train", *best, *places])

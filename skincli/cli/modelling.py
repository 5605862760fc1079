"""`skincli train | evaluate | predict`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skincli.cli.figures import SYNTHETIC_NOTICE, show_metrics
from skincli.cli.options import ConfigFile, Debug, Json, Overrides, only_word, split_words
from skincli.cli.session import Session, session
from skincli.errors import SkincliError

if TYPE_CHECKING:
    from skincli.prediction.predict import PredictionRow, PredictResult
    from skincli.training.train import TrainResult


def add_to(app: typer.Typer) -> None:
    for command in (train, evaluate, predict):
        app.command()(command)


def train(
    overrides: Overrides = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest unfinished run.")
    ] = False,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Train a classifier and seal it into a bundle."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.training.train import train as run

        result = run(s.config, s.progress, resume)
        s.output.result(_train_data(result), _train_lines(result))
        s.output.next(s.command(f"evaluate {result.run_id}"))


def evaluate(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL [KEY=VALUE]...", show_default=False)
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="NAME", help="Another data set, as an external test."),
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Measure a model on the test split: a run id, models:/NAME@ALIAS, or a bundle folder."""
    names, overrides = split_words(words)
    external = [f"data={data}"] if data else []
    with session([*overrides, *external], config, json, debug) as s:
        from skincli.evaluation.evaluate import evaluate as run

        model = only_word(names, "MODEL")
        result = run(s.config, model, s.progress, external=data is not None)
        what = "test part" if result.part == "test" else "whole set, external"
        s.output.result(
            result,
            [
                f"{result.data_name} ({what}): {result.n_images:,} images of "
                f"{result.n_lesions:,} lesions"
            ],
        )
        show_metrics(s.output, result.metrics)
        where = [f"Pictures, predictions and metrics are in {result.folder}"]
        if not result.published:
            where.append("Not logged: the model's run is not in the tracking store")
        if result.synthetic:
            where.append(SYNTHETIC_NOTICE)
        if not s.output.as_json:
            s.output.result(None, where)
        if result.part == "test":
            s.output.next(s.command(f"promote {model}"))


def predict(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="PATH... [KEY=VALUE]...", show_default=False)
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="MODEL", help="Default: the champion.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the table there too.")
    ] = None,
    heatmaps: Annotated[
        Path | None, typer.Option("--heatmaps", metavar="DIR", help="Write overlays there.")
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Ask a model about images or folders of images."""
    paths, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.prediction.predict import predict as run
        from skincli.prediction.table import write_csv

        result = run(s.config, [Path(p) for p in paths], model, s.progress, heatmaps)
        if csv:
            write_csv(result, csv)
        _show_predictions(s, result)
        for path in (csv, heatmaps):
            if path:
                s.progress.note(f"Wrote {path}")
        if result.n_errors == len(result.rows):
            raise SkincliError("no image could be read", "the table says why for each")


def _train_data(result: "TrainResult") -> dict[str, object]:
    spec = result.bundle.spec
    return {
        "run_id": result.run_id,
        "folder": result.folder,
        "bundle": result.bundle.folder,
        "bundle_digest": result.bundle.digest,
        "device": result.device,
        "parameters": result.parameters,
        "epochs": result.epochs,
        "best_epoch": result.best_epoch,
        "validation_balanced_accuracy": result.balanced_accuracy,
        "temperature": spec.temperature,
        "operating_point": spec.operating_point,
        "export_difference": spec.export_difference,
        "seconds": result.seconds,
        "synthetic": result.synthetic,
    }


def _train_lines(result: "TrainResult") -> list[str]:
    spec = result.bundle.spec
    lines = [
        f"Trained {result.epochs} epochs in {result.seconds:.0f} s on {result.device}; best epoch "
        f"{result.best_epoch} with validation balanced accuracy {result.balanced_accuracy:.3f}",
        f"Run {result.run_id} in {result.folder} (see curves.png)",
        f"Bundle {result.bundle.digest[:12]}: ONNX and torch agree to "
        f"{spec.export_difference:.1e} in probability; temperature {spec.temperature:.2f}; "
        f"operating point {spec.operating_point:.3f} for {spec.target_sensitivity:.0%} sensitivity",
    ]
    return [*lines, SYNTHETIC_NOTICE] if result.synthetic else lines


def _show_predictions(s: Session, result: "PredictResult") -> None:
    s.output.result(result)
    columns = ["image", "diagnosis", "probability", "malignant", "decision"]
    s.output.table(columns, [_prediction_cells(row) for row in result.rows])
    lines = [f"Model {result.model}; decision at {result.operating_point:.3f}. No medical device."]
    if result.synthetic:
        lines.append("This model has only seen synthetic images: its answers mean nothing.")
    if not s.output.as_json:
        s.output.result(None, lines)


def _prediction_cells(row: "PredictionRow") -> list[str]:
    if row.error is not None or row.probability is None or row.malignant_probability is None:
        return [str(row.path), f"error: {row.error}", "", "", ""]
    return [
        str(row.path),
        f"{row.code} ({row.name})",
        f"{row.probability:.3f}",
        f"{row.malignant_probability:.3f}",
        "malignant" if row.malignant else "benign",
    ]

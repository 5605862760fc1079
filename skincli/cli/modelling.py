"""`skincli predict`, beside the other commands about models."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from skincli.cli.measuring import compare, evaluate
from skincli.cli.options import ConfigFile, Debug, Json, split_words
from skincli.cli.session import Session, session
from skincli.cli.training import train
from skincli.errors import SkincliError, UsageError

if TYPE_CHECKING:
    from skincli.inference.reasons import Reason
    from skincli.prediction.rows import PredictionRow, PredictResult

_ABSTAINS: "Final[dict[Reason, str]]" = {
    "blurred": "blurred",
    "unlike_training_images": "unlike the training images",
    "benign_or_malignant": "may be benign or malignant",
}


def add_to(app: typer.Typer) -> None:
    for command in (train, evaluate, compare, predict):
        app.command()(command)


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
    server: Annotated[
        str | None,
        typer.Option(
            "--server", metavar="URL", help="Ask `skincli serve` there, not a model here."
        ),
    ] = None,
    concurrency: Annotated[
        int, typer.Option("--concurrency", min=1, max=64, help="Images a server is asked at once.")
    ] = 8,
    allow_plain_http: Annotated[
        bool, typer.Option("--allow-plain-http", help="Images and key may travel in the clear.")
    ] = False,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Ask a model about images or folders of images. A server takes the key in SKINCLI_API_KEY."""
    words, overrides = split_words(words)
    paths = [Path(word) for word in words]
    with session(overrides, config, json, debug) as s:
        from skincli.prediction.table import write_csv

        if server is None:
            from skincli.prediction.predict import predict as ask_model

            result = ask_model(s.config, paths, model, s.progress, heatmaps)
        else:
            from skincli.prediction.remote.predict import Server, predict_at

            if model:
                raise UsageError("a server has its own model", "leave --model or --server out")
            at = Server(address=server, concurrency=concurrency, allow_plain_http=allow_plain_http)
            result = predict_at(at, s.config, paths, s.progress, heatmaps)
        if csv:
            write_csv(result, csv)
        _show_predictions(s, result)
        for path in (csv, heatmaps):
            if path:
                s.progress.note(f"Wrote {path}")
        if result.n_errors == len(result.rows):
            raise SkincliError("no image could be read", "the table says why for each")


def _show_predictions(s: Session, result: "PredictResult") -> None:
    s.output.result(result)
    columns = ["image", "diagnosis", "probability", "malignant", "decision", "abstains"]
    s.output.table(columns, [_prediction_cells(row) for row in result.rows])
    lines = [f"Model {result.model}; decision at {result.operating_point:.3f}. No medical device."]
    if result.synthetic:
        lines.append("This model has only seen synthetic images: its answers mean nothing.")
    if not s.output.as_json:
        s.output.result(None, lines)


def _prediction_cells(row: "PredictionRow") -> list[str]:
    if row.error is not None or row.probability is None or row.malignant_probability is None:
        return [str(row.path), f"error: {row.error}", "", "", "", ""]
    return [
        str(row.path),
        f"{row.code} ({row.name})",
        f"{row.probability:.3f}",
        f"{row.malignant_probability:.3f}",
        "malignant" if row.malignant else "benign",
        _ABSTAINS[row.abstain] if row.abstain else "",
    ]

"""`skincli train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skincli.cli.figures import SYNTHETIC_NOTICE, number
from skincli.cli.options import ConfigFile, Debug, Json, Overrides
from skincli.cli.output import Output
from skincli.cli.session import session

if TYPE_CHECKING:
    from skincli.training.classes import ClassRow, ClassTable
    from skincli.training.train import TrainResult


def train(
    overrides: Overrides = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest unfinished run.")
    ] = False,
    resume_if_any: Annotated[
        bool,
        typer.Option(
            "--resume-if-any",
            help="The same if there is one of this config, data and commit; else begin.",
        ),
    ] = False,
    result_file: Annotated[
        Path | None,
        typer.Option("--result", metavar="FILE", help="Also write the result as JSON into a file."),
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Train a classifier and seal it into a bundle."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.training.train import train as run

        result = run(s.config, s.progress, resume or resume_if_any, if_any=resume_if_any)
        if result is None:  # one of several processes, whose leader tells
            return
        s.output.keep(result_file, _data(result))
        s.output.result(_data(result), _lines(result))
        _show_classes(s.output, result.validation)
        s.output.next(s.command(f"evaluate {result.run_id}"))


def _data(result: "TrainResult") -> dict[str, object]:
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
        "validation": result.validation,
        "temperature": spec.temperature,
        "operating_point": spec.operating_point,
        "export_difference": spec.export_difference,
        "seconds": result.seconds,
        "synthetic": result.synthetic,
    }


def _lines(result: "TrainResult") -> list[str]:
    spec = result.bundle.spec
    lines = [
        f"Trained {result.epochs} epochs in {result.seconds:.0f} s on {result.device}; the weights "
        f"of epoch {result.best_epoch} are kept",
        f"Run {result.run_id} in {result.folder}",
        "Pictures there: curves.png, samples.png, balance.png",
        f"Bundle {result.bundle.digest[:12]}: ONNX and torch agree to "
        f"{spec.export_difference:.1e} in probability; temperature {spec.temperature:.2f}; "
        f"operating point {spec.operating_point:.3f} for {spec.target_sensitivity:.0%} sensitivity",
    ]
    return [*lines, SYNTHETIC_NOTICE] if result.synthetic else lines


def _show_classes(output: Output, table: "ClassTable") -> None:
    """The validation part class by class, and what these figures are not."""
    columns = ["class", "images", "sensitivity", "precision", "F1", "AUROC"]
    rows = [_cells(row) for row in (*table.classes, table.mean)]
    output.table(columns, rows, "Validation part, also in classes.csv")
    if not output.as_json:
        mean = table.mean
        overall = (
            f"Balanced accuracy {number(mean.sensitivity)}, macro AUROC {number(mean.auroc)}, "
            f"accuracy {number(table.accuracy)}"
        )
        caution = (
            "These are validation figures, and that part is what choices are made by: "
            "`skincli evaluate` gives the figures of the test part"
        )
        output.result(None, [overall, caution])


def _cells(row: "ClassRow") -> list[str]:
    figures = (row.sensitivity, row.precision, row.f1, row.auroc)
    return [row.code, f"{row.images:,}", *map(number, figures)]

"""The folder that an evaluation leaves behind: figures, tables, and what they were made from."""

import json
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from skincli.config.operating import EvaluateConfig
from skincli.errors import SkincliError
from skincli.evaluation.exhibits import Exhibit
from skincli.evaluation.findings import Findings, Subject
from skincli.evaluation.plots.canvas import to_png
from skincli.evaluation.plots.drawing import draw
from skincli.evaluation.predictions import Predictions, write_predictions
from skincli.evaluation.report.report import render
from skincli.tracking.writing import replaced_folder

RECORD_FILE: Final = "evaluation.json"
METRICS_FILE: Final = "metrics.json"
PREDICTIONS_FILE: Final = "predictions.csv"
REPORT_FILE: Final = "report.html"
CARD_FILE: Final = "report.md"
SCHEMA_VERSION: Final = 2
_PACKAGES: Final = ("skincli", "numpy", "onnxruntime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that goes into the folder of an evaluation."""

    subject: Subject
    settings: EvaluateConfig
    predictions: Predictions
    findings: Findings
    exhibits: tuple[Exhibit, ...]


def write_evaluation(evaluation: Evaluation) -> Path:
    """Write the folder of an evaluation under `evaluate.root`, in the place of an earlier one.

    The folder gets its name when it is whole. Raises SkincliError when it cannot be written.
    """
    subject, root = evaluation.subject, Path(evaluation.settings.root)
    target = root / f"{subject.bundle_digest[:12]}-{subject.manifest.name}-{subject.key}"
    try:
        with replaced_folder(target) as fresh:
            _write_files(fresh, evaluation)
    except OSError as error:
        raise SkincliError(
            f"`{target}` cannot be written: {error.strerror}", "set evaluate.root=FOLDER"
        ) from None
    return target


def _write_files(folder: Path, evaluation: Evaluation) -> None:
    record = _record(evaluation)
    _write_json(folder / RECORD_FILE, record)
    _write_json(folder / METRICS_FILE, record["metrics"])
    write_predictions(folder / PREDICTIONS_FILE, evaluation.predictions)
    subject, predictions = evaluation.subject, evaluation.predictions
    figures = draw(subject, predictions, evaluation.findings)
    for name, figure in figures.items():
        (folder / f"{name}.png").write_bytes(to_png(figure))
    html, markdown = render(subject, predictions, evaluation.findings, evaluation.exhibits, figures)
    (folder / REPORT_FILE).write_text(html, encoding="utf-8")
    (folder / CARD_FILE).write_text(markdown, encoding="utf-8")


def _record(evaluation: Evaluation) -> dict[str, Any]:
    subject, settings = evaluation.subject, evaluation.settings
    manifest = subject.manifest
    return {
        "schema_version": SCHEMA_VERSION,
        "bundle_digest": subject.bundle_digest,
        "model": subject.model,
        "version": subject.version,
        "run_id": subject.run_id,
        "data_name": manifest.name,
        "synthetic": manifest.synthetic,
        "part": subject.part,
        "test_fingerprint": manifest.test_fingerprint,
        "split_fingerprint": manifest.split_fingerprint,
        "dataset_fingerprint": manifest.dataset_fingerprint,
        "resampling": {"unit": "lesion", "resamples": settings.resamples, "seed": settings.seed},
        **asdict(evaluation.findings),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in _PACKAGES},
        },
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")

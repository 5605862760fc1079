"""The folder that an evaluation leaves behind: figures, tables, and what they were made from."""

import json
import platform
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

from skincli.data import Manifest
from skincli.errors import SkincliError
from skincli.evaluation.metrics import Metrics
from skincli.evaluation.plots import (
    Caption,
    confusion_figure,
    reliability_figure,
    roc_figure,
    to_png,
)
from skincli.evaluation.predictions import Predictions, write_predictions

EvaluatedPart = Literal["test", "external"]

RECORD_FILE: Final = "evaluation.json"
METRICS_FILE: Final = "metrics.json"
PREDICTIONS_FILE: Final = "predictions.csv"
SCHEMA_VERSION: Final = 1
_PACKAGES: Final = ("skincli", "numpy", "onnxruntime", "scikit-learn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Which model was evaluated on what. `key` names the images in paths and in the store."""

    bundle_digest: str
    model: str
    version: str | None
    run_id: str | None
    manifest: Manifest
    part: EvaluatedPart

    @property
    def key(self) -> str:
        """12 hex digits of the fingerprint of the images that were scored."""
        of_test = self.part == "test"
        manifest = self.manifest
        return (manifest.test_fingerprint if of_test else manifest.dataset_fingerprint)[:12]


def write_evaluation(root: Path, subject: Subject, scored: Predictions, metrics: Metrics) -> Path:
    """Write the folder of an evaluation under `root`, in the place of an earlier one.

    The folder gets its name when it is whole. Raises SkincliError when it cannot be written.
    """
    target = root / f"{subject.bundle_digest[:12]}-{subject.manifest.name}-{subject.key}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{target.name}.partial-", dir=root) as name:
            fresh = Path(name) / "new"
            fresh.mkdir()
            _write_files(fresh, subject, scored, metrics)
            if target.exists():
                target.rename(Path(name) / "old")
            fresh.rename(target)
    except OSError as error:
        raise SkincliError(
            f"`{target}` cannot be written: {error.strerror}", "set evaluate.root=FOLDER"
        ) from None
    return target


def _write_files(folder: Path, subject: Subject, scored: Predictions, metrics: Metrics) -> None:
    _write_json(folder / RECORD_FILE, _record(subject, metrics))
    _write_json(folder / METRICS_FILE, asdict(metrics))
    write_predictions(folder / PREDICTIONS_FILE, scored)
    manifest = subject.manifest
    part = "test part" if subject.part == "test" else "whole external set"
    caption = Caption(manifest.name, part, metrics.n, manifest.synthetic)
    figures = {
        "confusion_matrix.png": confusion_figure(scored, metrics, caption),
        "roc.png": roc_figure(scored, metrics, caption),
        "reliability.png": reliability_figure(scored, metrics, caption),
    }
    for name, figure in figures.items():
        (folder / name).write_bytes(to_png(figure))


def _record(subject: Subject, metrics: Metrics) -> dict[str, Any]:
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
        "metrics": asdict(metrics),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in _PACKAGES},
        },
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")

"""Finding the evaluations of a model again, to compare two of them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skincli.config.schema import Config
from skincli.errors import ModelError
from skincli.evaluation.predictions import Predictions, read_predictions
from skincli.evaluation.record import PREDICTIONS_FILE, RECORD_FILE, SCHEMA_VERSION
from skincli.tracking.evaluations import evaluated_on, fetch_evaluation
from skincli.tracking.resolve import ResolvedModel, resolve


@dataclass(frozen=True, slots=True)
class StoredEvaluation:
    """The folder of an evaluation, and its record as it was read."""

    folder: Path
    record: dict[str, Any]

    @property
    def images(self) -> tuple[str, str, str]:
        """What two evaluations must share to be compared: part, test and split fingerprint."""
        names = "part", "test_fingerprint", "split_fingerprint"
        part, test, split = (str(self.record[name]) for name in names)
        return part, test, split

    def predictions(self) -> Predictions:
        return read_predictions(self.folder / PREDICTIONS_FILE)


def comparable(
    config: Config, a: str, b: str, scratch: Path
) -> tuple[StoredEvaluation, StoredEvaluation]:
    """The newest evaluations of two models on the same images.

    A model may also be named by the folder of an evaluation; what is not under `evaluate.root` is
    fetched from the tracking store into `scratch`. Raises ModelError when one was not evaluated, or
    both were but never on the same split.
    """
    ours, theirs = (
        _evaluations(config, model, scratch / place) for model, place in ((a, "a"), (b, "b"))
    )
    for one in ours:
        for other in theirs:
            if one.images == other.images:
                return one, other
    first, second = ours[0], theirs[0]
    raise ModelError(
        f"the two were not evaluated on the same images: `{a}` on {_described(first)}, `{b}` on "
        f"{_described(second)}",
        "`skincli evaluate` both with the same settings",
    )


def read_evaluation(folder: Path) -> StoredEvaluation:
    """The evaluation in a folder. Raises ModelError when it is damaged or of another schema."""
    path = folder / RECORD_FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        written = record["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"`{path}` cannot be read: {error}", "evaluate the model again") from None
    if written != SCHEMA_VERSION:
        raise ModelError(
            f"`{path}` has schema version {written}, and {SCHEMA_VERSION} is read",
            "evaluate the model again",
        )
    return StoredEvaluation(folder, record)


def _evaluations(config: Config, model: str, scratch: Path) -> list[StoredEvaluation]:
    """Those of a model, the newest first."""
    if (Path(model) / RECORD_FILE).is_file():
        return [read_evaluation(Path(model))]
    resolved = resolve(config, model)
    root = Path(config.evaluate.root)
    local = root.glob(f"{resolved.bundle.digest[:12]}-*/{RECORD_FILE}")
    folders = [path.parent for path in local] or _fetched(config, resolved, scratch)
    if not folders:
        raise ModelError(
            f"`{model}` was not evaluated under `{root}`, nor does the tracking store know of it",
            f"`skincli evaluate {model}` first",
        )
    found = map(read_evaluation, folders)
    return sorted(found, key=lambda each: str(each.record["created"]), reverse=True)


def _fetched(config: Config, resolved: ResolvedModel, scratch: Path) -> list[Path]:
    """The folders of all evaluations that the store holds of a model."""
    run_id, digest = resolved.run_id, resolved.bundle.digest
    if not run_id:
        return []
    folders = []
    for key in evaluated_on(config, run_id, digest):
        place = scratch / key
        place.mkdir(parents=True)
        folders.append(fetch_evaluation(config, run_id, digest, key, place))
    return [folder for folder in folders if folder is not None]


def _described(found: StoredEvaluation) -> str:
    part, test, split = found.images
    return f"{found.record['data_name']} ({part} {test[:12]}, split {split[:12]})"

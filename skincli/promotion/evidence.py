"""What the gate weighs: a candidate's figures, and the champion's on the very same images."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.data import prepare
from skincli.errors import GateError, ModelError, SkincliError
from skincli.evaluation.compare import Difference, paired_differences
from skincli.evaluation.evaluate import as_the_model_sees, evaluate
from skincli.evaluation.stored import StoredEvaluation, read_evaluation
from skincli.inference.selftest import checked_classifier
from skincli.progress import Progress
from skincli.tracking.evaluations import count_evaluated, fetch_evaluation
from skincli.tracking.registry import ModelVersion
from skincli.tracking.resolve import ResolvedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A sound bundle's figures on the test part whose fingerprint begins with `test_split`.

    `test_uses` counts the bundles that were ever measured there. `change` is that of balanced
    accuracy, candidate minus `champion` ("version 3"): None without another champion, and where
    the two cannot be compared, for which `obstacle` is the reason. `metrics` and `subgroups` are as
    `evaluation.json` holds them.
    """

    digest: str
    test_split: str
    test_uses: int
    metrics: dict[str, Any]
    subgroups: tuple[dict[str, Any], ...]
    champion: str | None
    change: Difference | None
    obstacle: str


def gather(
    config: Config, candidate: ResolvedModel, champion: ModelVersion | None, progress: Progress
) -> Evidence:
    """Fetch both evaluations from the store; a champion that was not measured there is now.

    Raises GateError when the candidate is not sound, or was not measured on the test part.
    """
    bundle = candidate.bundle
    _require_sound(bundle)
    manifest = prepare(as_the_model_sees(config, bundle), progress).prepared.manifest
    key = manifest.test_fingerprint[:12]
    change, obstacle = None, ""
    with tempfile.TemporaryDirectory() as scratch:
        ours = _require_measured(config, candidate, key, Path(scratch))
        if champion is not None and champion.digest != bundle.digest:
            try:
                theirs = _measured(config, champion, key, Path(scratch), progress)
                change = _change(config, ours, theirs, progress)
            except SkincliError as error:
                obstacle = f"version {champion.version} cannot be compared: {error.message}"
    return Evidence(
        digest=bundle.digest,
        test_split=key,
        test_uses=count_evaluated(config, key),
        metrics=ours.record["metrics"],
        subgroups=tuple(ours.record["subgroups"]),
        champion=f"version {champion.version}" if champion else None,
        change=change,
        obstacle=obstacle,
    )


def _require_sound(bundle: Bundle) -> None:
    """A model that may have seen its test images is for reproducing tables, whoever forces it."""
    lineage = bundle.spec.lineage
    if lineage.split == "official":
        raise GateError(
            "not promoted: it was trained on an official split that may leak "
            f"({'; '.join(lineage.data_warnings)})",
            "train on lesion-disjoint data, such as `data=ham10000`",
        )
    try:
        checked_classifier(bundle)
    except ModelError as error:
        raise GateError(f"not promoted: {error.message}", error.hint) from None


def _require_measured(
    config: Config, candidate: ResolvedModel, key: str, scratch: Path
) -> StoredEvaluation:
    """The candidate's evaluation. Raises GateError."""
    run_id, digest = candidate.run_id, candidate.bundle.digest
    found = fetch_evaluation(config, run_id, digest, key, scratch) if run_id else None
    if found is None:
        raise GateError(
            f"not promoted: it was not measured on the current test split {key}",
            f"`skincli evaluate {candidate.name}` with the same settings measures it",
        )
    return read_evaluation(found)


def _measured(
    config: Config, champion: ModelVersion, key: str, scratch: Path, progress: Progress
) -> StoredEvaluation:
    """The champion's evaluation, from the store or made now.

    Raises SkincliError, for example when it was trained on lesions of this test part.
    """
    if champion.run_id and champion.digest:
        found = fetch_evaluation(config, champion.run_id, champion.digest, key, scratch)
        if found:
            return read_evaluation(found)
    progress.note(f"Version {champion.version} was never measured on test split {key}: doing so")
    uri = f"models:/{config.registry.name}/{champion.version}"
    return read_evaluation(evaluate(config, uri, progress).folder)


def _change(
    config: Config, ours: StoredEvaluation, theirs: StoredEvaluation, progress: Progress
) -> Difference:
    """How balanced accuracy changes from the champion. Raises ModelError for another task."""
    differences = paired_differences(
        ours.predictions(),
        theirs.predictions(),
        resamples=config.evaluate.resamples,
        seed=config.evaluate.seed,
        progress=progress,
    )
    return differences["balanced_accuracy"]

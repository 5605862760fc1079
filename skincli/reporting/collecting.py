"""Everything that a report tells of one model, brought together from the tracking store."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from skincli.bundle import Bundle
from skincli.config.load import flatten, resolved_dict
from skincli.config.schema import Config
from skincli.data import prepare
from skincli.errors import ModelError
from skincli.evaluation.evaluate import as_the_model_sees, require_same_data
from skincli.evaluation.stored import StoredEvaluation, read_evaluation
from skincli.progress import Progress
from skincli.reporting.facts import Facts, Trained
from skincli.reporting.measuring import measured
from skincli.reporting.standing import weigh
from skincli.tracking.evaluations import fetch_evaluation
from skincli.tracking.registry import read_registry
from skincli.tracking.resolve import ResolvedModel, resolve
from skincli.tracking.run_files import fetch_run_files
from skincli.tracking.run_folder import RunFolder

_CURVES: Final = "curves.png"
_MEASURED: Final = ("confusion_matrix.png", "roc.png", "reliability.png")
PICTURES: Final = (*_MEASURED, _CURVES)
# Settings that shape a model, but for where its data lie. A report may be public.
_SHAPING: Final = (
    *("seed", "task", "data.", "model.", "loss.", "optimizer.", "augment.", "train.", "trainer."),
    "calibration.",
)
_PLACES: Final = ("data.root", "data.mirror", "data.folder.", "data.download.")


@dataclass(frozen=True, slots=True)
class Collected:
    """The facts, and the pictures that go with them."""

    facts: Facts
    pictures: tuple[Path, ...]


def collect(config: Config, model: str, scratch: Path, progress: Progress) -> Collected:
    """What is known of a model that was measured on the current test part.

    Pictures are put below `scratch`. Raises ModelError where it was not measured there.
    """
    candidate = resolve(config, model)
    key = _test_split(config, candidate.bundle, progress)
    ours = _require_measured(config, candidate, key, scratch, _MEASURED)
    champion = read_registry(config).current(config.registry.alias)
    standing = weigh(config, candidate, champion, key, progress)
    theirs = None
    if champion is not None and not standing.alone:
        uri = f"models:/{config.registry.name}/{champion.version}"
        theirs = _require_measured(config, resolve(config, uri), key, scratch)
    trained = _trained(candidate.bundle)
    names = (RunFolder(scratch).metrics.name, _CURVES)
    fetch_run_files(config, trained.run_id, names, scratch)
    facts = Facts(
        trained=trained,
        standing=standing,
        measured=measured(ours, theirs, config.evaluate, progress),
        epochs=tuple(map(_finite, RunFolder(scratch).read_metrics())),
    )
    places = (*(ours.folder / name for name in _MEASURED), scratch / _CURVES)
    return Collected(facts, tuple(place for place in places if place.is_file()))


def _test_split(config: Config, bundle: Bundle, progress: Progress) -> str:
    """The name of the current test part. Raises ModelError where the config names other data."""
    require_same_data(config, bundle)
    manifest = prepare(as_the_model_sees(config, bundle), progress).prepared.manifest
    return manifest.test_fingerprint[:12]


def _require_measured(
    config: Config,
    model: ResolvedModel,
    key: str,
    scratch: Path,
    pictures: tuple[str, ...] = (),
) -> StoredEvaluation:
    """Its evaluation on the test part `key`. Raises ModelError."""
    run_id, digest = model.run_id, model.bundle.digest
    found = fetch_evaluation(config, run_id, digest, key, scratch, pictures) if run_id else None
    if found is None:
        raise ModelError(
            f"`{model.name}` was not measured on the current test split {key}",
            f"`skincli evaluate {model.name}` with the same settings measures it",
        )
    return read_evaluation(found)


def _trained(bundle: Bundle) -> Trained:
    spec, lineage = bundle.spec, bundle.spec.lineage
    return Trained(
        run_id=lineage.parent_run_id or lineage.run_id,
        run_name=lineage.run_name,
        created=lineage.created,
        digest=bundle.digest,
        backbone=spec.backbone,
        precision=spec.precision,
        image_size=spec.image_size,
        seed=lineage.config.get("seed"),
        data_name=lineage.data_name,
        synthetic=lineage.synthetic,
        dataset_fingerprint=lineage.dataset_fingerprint,
        split_fingerprint=lineage.split_fingerprint,
        data_warnings=lineage.data_warnings,
        git_commit=lineage.git_commit,
        settings=dict(_settings(lineage.config)),
    )


def _finite(row: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in row.items()}


def _settings(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    usual = dict(flatten(resolved_dict(Config())))
    for key, value in flatten(config):
        told = key.startswith(_SHAPING) and not key.startswith(_PLACES)
        if told and value != usual.get(key):
            yield key, value

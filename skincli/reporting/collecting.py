"""Everything that a report tells of one model, brought together from the tracking store."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.data import prepare
from skincli.errors import ModelError
from skincli.evaluation.evaluate import as_the_model_sees, require_same_data
from skincli.evaluation.stored import StoredEvaluation, read_evaluation
from skincli.progress import Progress
from skincli.reporting.facts import Facts
from skincli.reporting.measuring import measured
from skincli.reporting.origin import origin_of
from skincli.reporting.standing import weigh
from skincli.tracking.evaluations import fetch_evaluation
from skincli.tracking.registry import read_registry
from skincli.tracking.resolve import ResolvedModel, resolve

PICTURES: Final = ("confusion_matrix.png", "roc.png", "reliability.png")


@dataclass(frozen=True, slots=True)
class Collected:
    """The facts, the pictures that go with them, and the run that the model is of."""

    run_id: str
    facts: Facts
    pictures: tuple[Path, ...]


def collect(config: Config, model: str, scratch: Path, progress: Progress) -> Collected:
    """What is known of a model that was measured on the current test part.

    Pictures are put below `scratch`. Raises ModelError where it was not measured there.
    """
    candidate = resolve(config, model)
    key = _test_split(config, candidate.bundle, progress)
    ours = _require_measured(config, candidate, key, scratch, PICTURES)
    champion = read_registry(config).current(config.registry.alias)
    standing = weigh(config, candidate, champion, key, progress)
    theirs = None
    if champion is not None and not standing.alone:
        uri = f"models:/{config.registry.name}/{champion.version}"
        theirs = _require_measured(config, resolve(config, uri), key, scratch)
    origin = origin_of(config, candidate.bundle, scratch)
    facts = Facts(
        trained=origin.trained,
        standing=standing,
        measured=measured(ours, theirs, config.evaluate, progress),
        epochs=origin.epochs,
    )
    places = (*(ours.folder / name for name in PICTURES), origin.curves)
    run_id = candidate.run_id or origin.trained.run_id
    return Collected(run_id, facts, tuple(place for place in places if place.is_file()))


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

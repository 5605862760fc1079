"""The verb `quantise`: a float32 bundle in, an int8 one out if it is as good."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.data import PreparedSet, prepare
from skincli.errors import ModelError
from skincli.evaluation.evaluate import as_the_model_sees, require_same_data
from skincli.inference.selftest import checked_classifier
from skincli.progress import Progress
from skincli.quantising.comparing import Comparison, Loss, compare_engines, losses
from skincli.quantising.making import make_int8
from skincli.tracking.resolve import resolve
from skincli.tracking.transfer import require_free, write_bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantiseResult:
    """Both engines, and the int8 bundle at `path`; there is none, nor a digest, where a loss is
    above its bound."""

    model: str
    digest: str | None
    path: Path | None
    quantised_from: str
    comparison: Comparison
    losses: tuple[Loss, ...]
    synthetic: bool


def quantise(config: Config, model: str, target: Path, progress: Progress) -> QuantiseResult:
    """Make int8 of a float32 bundle, and write it as `target` if it loses no more than `int8`
    allows. The same bundle and settings make the same file.

    Raises ModelError for an int8 model, or where the data are not those of its training;
    UsageError when there is something of the target's name.
    """
    require_free(target)
    original = resolve(config, model).bundle
    if original.spec.precision != "float32":
        raise ModelError(f"`{model}` is {original.spec.precision} already")
    prepared = _data_of_the_training(config, original, progress)
    with tempfile.TemporaryDirectory() as scratch:
        bundle = make_int8(config, original, prepared, Path(scratch), progress)
        checked_classifier(bundle)
        found = compare_engines(config, (original, bundle), prepared, progress)
        lost = losses(found, config.int8)
        good = all(loss.ok for loss in lost)
        if good:
            write_bundle(bundle, target)
    return QuantiseResult(
        model=model,
        digest=bundle.digest if good else None,
        path=target if good else None,
        quantised_from=original.digest,
        comparison=found,
        losses=lost,
        synthetic=original.spec.lineage.synthetic,
    )


def _data_of_the_training(config: Config, bundle: Bundle, progress: Progress) -> PreparedSet:
    require_same_data(config, bundle)
    prepared = prepare(as_the_model_sees(config, bundle), progress).prepared
    theirs, ours = bundle.spec.lineage.split_fingerprint, prepared.manifest.split_fingerprint
    if theirs != ours:
        raise ModelError(
            f"the model was trained on split {theirs[:12]} of `{prepared.manifest.name}`, and that "
            f"of the config is {ours[:12]}",
            "give the data settings of its training again (`data.parts.*`)",
        )
    return prepared

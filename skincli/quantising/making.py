"""An int8 bundle out of a float32 one: its network, and everything beside it that hangs on it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from skincli.bundle import (
    MODEL_FILE,
    REFERENCE_FILE,
    TRAINED_ON_FILE,
    Bundle,
    BundleSpec,
    file_sha256,
    seal,
)
from skincli.config.schema import Config
from skincli.config.training import CalibrationConfig
from skincli.data import PreparedSet
from skincli.evaluation.fitting import Calibration, fit_calibration, fit_reference
from skincli.imaging import Pixels
from skincli.inference.engine import Network, softmax
from skincli.progress import Progress
from skincli.quantising.network import quantise_network

_BATCH: Final = 8
_CHECKED_IMAGES: Final = 64


def make_int8(
    config: Config, original: Bundle, prepared: PreparedSet, folder: Path, progress: Progress
) -> Bundle:
    """Quantise `original` into the empty `folder`, and fit anew what is sealed beside the network.

    `prepared` are the data of its training. Raises ModelError for a network that cannot be
    quantised.
    """
    spec, size = original.spec, config.inference.batch_size
    quantise_network(
        original.model, folder / MODEL_FILE, _batches(config, spec.views, prepared, progress)
    )
    progress.note("Fitting the calibration anew")
    network = Network(folder / MODEL_FILE, config.inference.threads, spec.views)
    reference = fit_reference(network, prepared, config.seed, size)
    reference.save(folder / REFERENCE_FILE)
    promised = CalibrationConfig(
        target_sensitivity=spec.target_sensitivity,
        coverage=spec.conformal.coverage,
        false_alarms=spec.out_of_distribution.false_alarm_rate,
    )
    fitted = fit_calibration(network, prepared, reference, spec.task, promised, size)
    difference = _difference(config, original, network, fitted.temperature, prepared)
    trained_on = json.loads((original.folder / TRAINED_ON_FILE).read_text())
    return seal(folder, _spec(original, fitted, difference, folder), trained_on)


def _batches(
    config: Config, views: int, prepared: PreparedSet, progress: Progress
) -> Iterator[Pixels]:
    """Some training images, which the activations' ranges are taken from."""
    rows = prepared.rows("train")
    rng = np.random.default_rng(config.seed)
    chosen = np.sort(rng.choice(rows, min(len(rows), config.int8.images), replace=False))
    each = max(1, _BATCH // views)
    with progress.step("Looking at activations", len(chosen)) as step:
        for start in range(0, len(chosen), each):
            batch = prepared.images[chosen[start : start + each]]
            yield batch
            step.advance(len(batch))


def _difference(
    config: Config, original: Bundle, network: Network, temperature: float, prepared: PreparedSet
) -> float:
    """The largest absolute difference of probabilities on validation images."""
    images = prepared.images[prepared.rows("validation")[:_CHECKED_IMAGES]]
    before = Network(original.model, config.inference.threads, original.spec.views)
    ours = softmax(before(images).logits, original.spec.temperature)
    theirs = softmax(network(images).logits, temperature)
    return float(np.abs(ours - theirs).max())


def _spec(original: Bundle, fitted: Calibration, difference: float, folder: Path) -> BundleSpec:
    """A run of its own, so that what is measured of it is not taken for the original's."""
    spec, lineage = original.spec, original.spec.lineage
    made_of = f"{original.digest} {file_sha256(folder / MODEL_FILE)}"
    return replace(
        spec,
        precision="int8",
        quantised_from=original.digest,
        temperature=fitted.temperature,
        operating_point=fitted.operating_point,
        conformal=fitted.conformal,
        out_of_distribution=fitted.out_of_distribution,
        export_difference=difference,
        lineage=replace(
            lineage,
            run_id=hashlib.sha256(made_of.encode()).hexdigest()[:32],
            run_name=f"{lineage.run_name}-int8",
            parent_run_id=lineage.run_id,
        ),
    )

"""What a bundle says beside its network, fitted to the very network that is served."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skincli.bundle import Conformal, OutOfDistribution
from skincli.config.training import CalibrationConfig
from skincli.data import PreparedSet
from skincli.evaluation.calibration import fit_operating_point, fit_temperature
from skincli.evaluation.conformal import fit_conformal
from skincli.evaluation.novelty import (
    FEATURE_RIDGE,
    REFERENCE_IMAGES,
    TEXTURE_RIDGE,
    fit_gaussian,
    fit_limits,
)
from skincli.inference.engine import Floats, Network, malignant_probability, softmax
from skincli.inference.novelty import Reference, texture
from skincli.taxonomy import MALIGNANT_DIAGNOSES, Task, classes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What was fitted on the calibration part, by the names of `BundleSpec`."""

    temperature: float
    operating_point: float
    conformal: Conformal
    out_of_distribution: OutOfDistribution


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a network says of N images: `logits [N, C]`, `features [N, D]`; `texture [N, T]`."""

    logits: Floats
    features: Floats
    texture: Floats


def fit_reference(network: Network, prepared: PreparedSet, seed: int, batch_size: int) -> Reference:
    """Training images as the network sees them, without augmentation."""
    rows = prepared.rows("train")
    rng = np.random.default_rng(seed)
    chosen = rng.choice(rows, min(len(rows), REFERENCE_IMAGES), replace=False)
    seen = _seen(network, prepared, np.sort(chosen), batch_size)
    return Reference(
        fit_gaussian(seen.features, FEATURE_RIDGE), fit_gaussian(seen.texture, TEXTURE_RIDGE)
    )


def fit_calibration(
    network: Network,
    prepared: PreparedSet,
    reference: Reference,
    task: Task,
    settings: CalibrationConfig,
    batch_size: int,
) -> Calibration:
    """Fit to the calibration part of `prepared`. Raises DataError, ModelError where that fails."""
    rows = prepared.rows("calibration")
    labels, samples = prepared.labels(task)[rows], [prepared.samples[row] for row in rows]
    seen = _seen(network, prepared, rows, batch_size)
    temperature = fit_temperature(seen.logits, labels)
    probabilities = softmax(seen.logits, temperature)
    malignant = malignant_probability(probabilities, classes_of(task))
    truth = np.array([sample.dx in MALIGNANT_DIAGNOSES for sample in samples])
    return Calibration(
        temperature=temperature,
        operating_point=fit_operating_point(malignant, truth, settings.target_sensitivity),
        conformal=fit_conformal(
            probabilities, labels, [sample.lesion_id for sample in samples], settings.coverage
        ),
        out_of_distribution=fit_limits(
            reference, seen.features, seen.texture, settings.false_alarms
        ),
    )


def _seen(
    network: Network, prepared: PreparedSet, rows: NDArray[np.intp], batch_size: int
) -> _Seen:
    logits, features, seen = [], [], []
    for start in range(0, len(rows), batch_size):
        batch = prepared.images[rows[start : start + batch_size]]
        outputs = network(batch)
        logits.append(outputs.logits)
        features.append(outputs.features)
        seen.append(texture(batch))
    return _Seen(np.concatenate(logits), np.concatenate(features), np.concatenate(seen))

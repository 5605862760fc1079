"""Linear probing: features extracted once, and the head fitted to them by logistic regression."""

import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from skincli.config.schema import Config
from skincli.data import Part, PreparedSet
from skincli.errors import DataError, SkincliError
from skincli.evaluation.metrics import compute_metrics
from skincli.inference.engine import Floats, decide, malignant_probability, softmax
from skincli.models.network import ExportedNetwork, Network
from skincli.progress import Progress
from skincli.taxonomy import ClassInfo, Task, classes_of
from skincli.training.module import class_weights

# What is tried, the simplest head first, which wins a tie.
_STRENGTHS: Final = (1.0, 0.1, 0.01, 0.001, 0.0001)
_MOST_STEPS: Final = 200


@dataclass(frozen=True, slots=True)
class Probed:
    """The network with its head fitted, and what the choice of `strength` was made by.

    `strength` is that of the L2 penalty beside the mean loss; the figures are the validation
    part's, not a number where it defines none.
    """

    network: Network
    strength: float
    balanced_accuracy: float
    macro_auroc: float
    seconds: float


@dataclass(frozen=True, slots=True)
class _Part:
    features: Floats
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Head:
    """A linear head on features as they come: `weight [C, D]` and `bias [C]`."""

    weight: Floats
    bias: Floats


def probe(
    config: Config,
    prepared: PreparedSet,
    network: Network,
    device: torch.device,
    progress: Progress,
) -> Probed:
    """Fit the head of `network` on its own features, which are those of the sealed bundle.

    Weights of the classes are those of a whole training. Nothing is drawn: the same set and
    backbone give the same head. Raises DataError when one class is all there is to learn from.
    """
    began = time.monotonic()
    if config.model.weights is None and not config.model.pretrained:
        progress.warn(
            "the backbone has random weights: give model.weights=FILE, or model.pretrained=true "
            "with a backbone that has ImageNet weights"
        )
    network = network.to(device).eval()
    train = _extract(config, prepared, "train", network, progress)
    validation = _extract(config, prepared, "validation", network, progress)
    weights = _class_weights(train, config.task, config.calibration.decision_power)
    best: tuple[float, float, float, _Head] | None = None
    with progress.step("Fitting the head", len(_STRENGTHS)) as step:
        for strength, head in _heads(config, train):
            accuracy, auroc = _measured(head, validation, classes_of(config.task), weights)
            if best is None or accuracy > best[0]:
                best = (accuracy, auroc, strength, head)
            step.advance(balanced_accuracy=f"{best[0]:.3f}")
    assert best is not None
    accuracy, auroc, strength, head = best
    with torch.no_grad():
        network.head.weight.copy_(torch.from_numpy(head.weight))
        network.head.bias.copy_(torch.from_numpy(head.bias))
    return Probed(network, strength, accuracy, auroc, time.monotonic() - began)


def _extract(
    config: Config, prepared: PreparedSet, part: Part, network: Network, progress: Progress
) -> _Part:
    """The features of a part, a batch of images at a time. Raises SkincliError."""
    rows = prepared.rows(part)
    exported = ExportedNetwork(network, config.model.test_time_augmentation)
    features = np.empty((len(rows), network.head.in_features), dtype=np.float32)
    size = config.inference.batch_size
    with progress.step(f"Extracting {part} features", len(rows)) as step:
        for start in range(0, len(rows), size):
            images = prepared.images[rows[start : start + size]]
            features[start : start + size] = exported.answer(images).features.cpu().numpy()
            step.advance(len(images))
    if not np.isfinite(features).all():
        raise SkincliError(
            "the backbone gives features that are not finite numbers", "check its weights"
        )
    return _Part(features, prepared.labels(config.task)[rows])


def _heads(config: Config, train: _Part) -> Iterator[tuple[float, _Head]]:
    """A head for each strength, from strong to weak, each fit beginning where the last ended."""
    from sklearn.linear_model import LogisticRegression

    n_classes = len(classes_of(config.task))
    counts = np.bincount(train.labels, minlength=n_classes)
    if np.count_nonzero(counts) < 2:
        raise DataError("the training part shows one class only", "add images of another")
    weights = _class_weights(train, config.task, config.loss.class_weight_power)[train.labels]
    mean, scale = train.features.mean(axis=0), _scale(train.features)
    standardised = (train.features - mean) / scale
    model = LogisticRegression(max_iter=_MOST_STEPS, warm_start=True)
    for strength in _STRENGTHS:
        # The weights' mean is 1, so this is the penalty beside the mean loss.
        model.set_params(C=1 / (strength * len(weights)))
        _fit(model, standardised, train.labels, weights)
        yield strength, _fold(model, mean, scale, counts)


def _fit(model: Any, features: Floats, labels: NDArray[np.int64], weights: Floats) -> None:
    """A fit that ends before it has converged is only a little simpler still."""
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    # Products this small gain nothing from more threads, which wait for each other: beside other
    # work two of them were fifty times slower than one.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features, labels, sample_weight=weights)


def _scale(features: Floats) -> Floats:
    """Standard deviations `[D]`; infinite, so that the head ignores it, for a dead channel."""
    deviation = features.std(axis=0)
    dead = deviation <= 1e-3 * deviation.mean()
    result: Floats = np.where(dead, np.float32(np.inf), deviation)
    return result


def _fold(model: Any, mean: Floats, scale: Floats, counts: NDArray[np.intp]) -> _Head:
    """The fitted model as a head on plain features, with a row for every class of the task.

    The rows of the classes that were learnt are moved to sum to nothing, which changes no
    probability; so the largest of their logits is never below 0, and a class that was never seen,
    whose logit is always -log N of the N images, never wins.
    """
    weight, bias = model.coef_, model.intercept_
    if len(weight) == 1:  # two classes: one row, the log odds of the second
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    weight, bias = weight - weight.mean(axis=0), bias - bias.mean()
    folded = np.zeros((len(counts), len(mean)), dtype=np.float32)
    offset = np.full(len(counts), -np.log(counts.sum()), dtype=np.float32)
    folded[model.classes_] = weight / scale
    offset[model.classes_] = bias - (weight / scale) @ mean
    return _Head(folded, offset)


def _class_weights(part: _Part, task: Task, power: float) -> Floats:
    counts = np.bincount(part.labels, minlength=len(classes_of(task)))
    weights: Floats = class_weights(counts.tolist(), power).numpy()
    return weights


def _measured(
    head: _Head, part: _Part, classes: tuple[ClassInfo, ...], weights: Floats
) -> tuple[float, float]:
    """Balanced accuracy of decisions by `weights [C]`, and the mean AUROC."""
    probabilities = softmax(part.features @ head.weight.T + head.bias)
    malignant = malignant_probability(probabilities, classes)
    found = compute_metrics(
        part.labels,
        probabilities,
        decide(probabilities, weights.tolist()),
        malignant,
        classes,
        0.5,
    )
    auroc = math.nan if found.macro_auroc is None else found.macro_auroc
    return found.balanced_accuracy or 0.0, auroc

"""Tiny trainings: on drawn lesions of 32 px, in seconds."""

import copy
import hashlib
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from skincli.bundle import Bundle
from skincli.config.load import to_yaml
from skincli.config.schema import Config
from skincli.data import PreparedSet, prepare
from skincli.inference.engine import Classifier
from skincli.models.network import Network
from skincli.progress import Silent
from skincli.tracking.run_folder import RunFolder, create_run_folder
from skincli.training.device import choose_device
from skincli.training.fit import build_network, fit, kept

# What an epoch took is another each time.
_TIMINGS = ("seconds", "images_per_second")


class Killed(BaseException):
    """Ends a training as a kill does: nothing is tidied up."""


class Heard(Silent):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)


def small(config: Config) -> Config:
    """3 epochs of 3 steps and 2 batches of validation."""
    config = copy.deepcopy(config)
    config.data.parts.train, config.data.parts.validation = 0.5, 0.3
    config.data.batch_size = 24
    config.model.backbone, config.model.pretrained, config.model.width = "small_resnet", False, 8
    config.trainer.accelerator, config.trainer.max_epochs = "cpu", 3
    config.optimizer.lr = 0.003
    return config


def uncalibrated(bundle: Bundle, images: np.ndarray) -> np.ndarray:
    """The probabilities `[N, C]` before the temperature."""
    found = Classifier(bundle).score(images).probabilities ** bundle.spec.temperature
    return found / found.sum(axis=1, keepdims=True)


def accuracy_before_calibration(bundle: Bundle, prepared: PreparedSet) -> float:
    """Balanced accuracy of the validation part, as a training sees it: by the bundle's weights,
    when no temperature is known yet."""
    rows = prepared.rows("validation")
    truth = prepared.labels(bundle.spec.task)[rows]
    weighted = uncalibrated(bundle, prepared.images[rows]) * bundle.spec.decision_weights
    called = weighted.argmax(axis=1)
    return float(np.mean([(called[truth == c] == c).mean() for c in np.unique(truth)]))


@dataclass
class Training:
    """`fit` without what is around it: no store, no bundle."""

    config: Config
    root: Path
    heard: Heard = field(default_factory=Heard)

    def __post_init__(self) -> None:
        name = f"{len(list(self.root.glob('*')))}"
        self.folder = create_run_folder(self.root, name, name, to_yaml(self.config), "")

    @property
    def prepared(self) -> PreparedSet:
        return prepare(self.config, Silent()).prepared

    def run(self, resume: bool = False) -> Network:
        network = build_network(self.config)
        fit(
            self.config, self.prepared, network, self.folder, choose_device(self.config),
            self.heard, lambda epoch, row: self.folder.append_metrics({"epoch": epoch, **row}),
            rank=0, resume=resume,
        )  # fmt: skip
        return kept(self.config, network, self.folder).network


def figures(folder: RunFolder) -> list[dict[str, float]]:
    """`metrics.csv` but for what depends on the clock. Where no figure is defined, None."""
    return [
        {k: None if math.isnan(v) else v for k, v in row.items() if k not in _TIMINGS}
        for row in folder.read_metrics()
    ]


def largest_difference(rows: list[dict[str, float]], others: list[dict[str, float]]) -> float:
    assert [row.keys() for row in rows] == [row.keys() for row in others]
    pairs = [(row[k], other[k]) for row, other in zip(rows, others, strict=True) for k in row]
    assert all((a is None) == (b is None) for a, b in pairs)
    return max(abs(a - b) for a, b in pairs if a is not None)


def weights_hash(module: torch.nn.Module) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        digest.update(name.encode() + value.numpy().tobytes())
    return digest.hexdigest()


def saved(folder: RunFolder, name: str = "last.ckpt") -> dict:
    return torch.load(folder.checkpoints / name, weights_only=False)

"""A bundle of random weights, to put a server under load: its speed is that of any weights."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from skincli.bench.images import drawn_jpegs
from skincli.bench.serving.records import UNTRAINED
from skincli.bundle import (
    MODEL_FILE,
    REFERENCE_FILE,
    VIEWS,
    Bundle,
    BundleSpec,
    Conformal,
    Lineage,
    keyed_hashes,
    seal,
)
from skincli.config.load import resolved_dict
from skincli.config.schema import Config
from skincli.evaluation.novelty import FEATURE_RIDGE, TEXTURE_RIDGE, fit_gaussian, fit_limits
from skincli.imaging import Limits, read_input
from skincli.inference.engine import Network
from skincli.inference.novelty import Reference, texture
from skincli.models.export import export_onnx
from skincli.taxonomy import classes_of
from skincli.training.environment import git_commit, package_versions
from skincli.training.fit import build_network

_IMAGES: Final = 32
_HALF: Final = 0.5


def untrained_bundle(config: Config, folder: Path) -> Bundle:
    """The configured backbone and image size, exported as after a training, and sealed.

    Raises SkincliError where the backbone is unknown or its pretrained weights are not there.
    """
    size, augmentation = config.data.image_size, config.model.test_time_augmentation
    folder.mkdir(parents=True)
    export_onnx(build_network(config), size, folder / MODEL_FILE, augmentation)
    network, limits = Network(folder / MODEL_FILE, 0, VIEWS[augmentation]), Limits.of(config.image)
    jpegs = drawn_jpegs(_IMAGES)
    images = np.stack([read_input(jpeg, size, config.data.crop, limits) for jpeg in jpegs])
    features, seen = network(images).features, texture(images)
    reference = Reference(fit_gaussian(features, FEATURE_RIDGE), fit_gaussian(seen, TEXTURE_RIDGE))
    reference.save(folder / REFERENCE_FILE)
    classes = classes_of(config.task)
    spec = BundleSpec(
        task=config.task,
        backbone=config.model.backbone,
        image_size=size,
        crop=config.data.crop,
        test_time_augmentation=augmentation,
        classes=classes,
        temperature=1.0,
        operating_point=_HALF,
        decision_weights=(1.0,) * len(classes),
        target_sensitivity=config.calibration.target_sensitivity,
        conformal=Conformal(
            coverage=config.calibration.coverage,
            thresholds=(_HALF,) * len(classes),
            lesions=(0,) * len(classes),
            marginal=(True,) * len(classes),
        ),
        out_of_distribution=fit_limits(reference, features, seen, config.calibration.false_alarms),
        export_difference=0.0,
        lineage=_lineage(config),
    )
    return seal(
        folder, spec, {"key": UNTRAINED, "files": keyed_hashes(UNTRAINED, ()), "lesions": []}
    )


def _lineage(config: Config) -> Lineage:
    nothing = "0" * 64
    return Lineage(
        run_id="",
        run_name=UNTRAINED,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        data_name="synthetic",
        data_licence="none",
        data_verified=False,
        synthetic=True,
        dataset_fingerprint=nothing,
        split_fingerprint=nothing,
        split=config.data.split,
        data_warnings=("its weights are random",),
        git_commit=git_commit(),
        packages=package_versions(),
        config=resolved_dict(config),
    )

"""From the best weights to a sealed bundle: exported, checked, calibrated, named."""

import shutil
from datetime import UTC, datetime

import numpy as np

from skincli.bundle import (
    MODEL_FILE,
    REFERENCE_FILE,
    VIEWS,
    Bundle,
    BundleSpec,
    Lineage,
    keyed_hashes,
    seal,
)
from skincli.config.load import resolved_dict
from skincli.config.schema import Config
from skincli.data import PreparedSet
from skincli.errors import SkincliError
from skincli.evaluation.fitting import fit_calibration, fit_reference
from skincli.inference.engine import Network, softmax
from skincli.models.export import export_onnx, torch_logits
from skincli.models.network import Network as TorchNetwork
from skincli.taxonomy import classes_of
from skincli.tracking.run_folder import RunFolder
from skincli.training.environment import git_commit, package_versions
from skincli.training.module import class_weights

_CHECKED_IMAGES = 64


def seal_bundle(
    config: Config, prepared: PreparedSet, network: TorchNetwork, folder: RunFolder
) -> Bundle:
    """Export `network`, prove it equal, calibrate the export itself, and seal it in the run.

    Raises SkincliError when torch and ONNX differ by more than `export.tolerance`.
    """
    partial = folder.path / "bundle.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    augmentation = config.model.test_time_augmentation
    export_onnx(network, config.data.image_size, partial / MODEL_FILE, augmentation)
    exported = Network(partial / MODEL_FILE, config.inference.threads, VIEWS[augmentation])
    difference = _difference(config, prepared, network, exported)
    batch = config.inference.batch_size
    reference = fit_reference(exported, prepared, config.seed, batch)
    reference.save(partial / REFERENCE_FILE)
    calibration = fit_calibration(
        exported, prepared, reference, config.task, config.calibration, batch
    )
    spec = BundleSpec(
        task=config.task,
        backbone=config.model.backbone,
        image_size=config.data.image_size,
        crop=config.data.crop,
        test_time_augmentation=augmentation,
        classes=classes_of(config.task),
        temperature=calibration.temperature,
        operating_point=calibration.operating_point,
        decision_weights=_decision_weights(config, prepared),
        target_sensitivity=config.calibration.target_sensitivity,
        conformal=calibration.conformal,
        out_of_distribution=calibration.out_of_distribution,
        export_difference=difference,
        lineage=_lineage(config, prepared, folder),
    )
    bundle = seal(partial, spec, _trained_on(prepared))
    shutil.rmtree(folder.bundle, ignore_errors=True)
    partial.replace(folder.bundle)
    return Bundle(folder.bundle, bundle.digest, bundle.spec)


def _difference(
    config: Config, prepared: PreparedSet, network: TorchNetwork, exported: Network
) -> float:
    """The largest absolute difference of probabilities on real validation images."""
    images = prepared.images[prepared.rows("validation")[:_CHECKED_IMAGES]]
    ours = softmax(torch_logits(network, images, config.model.test_time_augmentation))
    theirs = softmax(exported(images).logits)
    difference = float(np.abs(ours - theirs).max())
    if not difference <= config.export.tolerance:
        raise SkincliError(
            f"the exported model differs from the trained one by {difference:.2g} in probability, "
            f"more than export.tolerance={config.export.tolerance:g}",
            "the checkpoint is kept; please report the backbone",
        )
    return difference


def _decision_weights(config: Config, prepared: PreparedSet) -> tuple[float, ...]:
    learned = prepared.labels(config.task)[prepared.rows("train")]
    counts = np.bincount(learned, minlength=len(classes_of(config.task)))
    return tuple(class_weights(counts.tolist(), config.calibration.decision_power).tolist())


def _lineage(config: Config, prepared: PreparedSet, folder: RunFolder) -> Lineage:
    state, manifest = folder.state(), prepared.manifest
    return Lineage(
        run_id=state.run_id,
        run_name=state.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        data_name=manifest.name,
        data_licence=manifest.licence,
        data_verified=manifest.verified,
        synthetic=manifest.synthetic,
        dataset_fingerprint=manifest.dataset_fingerprint,
        split_fingerprint=manifest.split_fingerprint,
        split=manifest.split,
        data_warnings=manifest.warnings,
        git_commit=git_commit(),
        packages=package_versions(),
        config=resolved_dict(config),
    )


def _trained_on(prepared: PreparedSet) -> dict[str, object]:
    """Everything that shaped the model: all parts but the test one."""
    key = prepared.manifest.split_fingerprint
    seen = [s for s in prepared.samples if s.part != "test"]
    return {
        "key": key,
        "files": keyed_hashes(key, (s.sha256 for s in seen)),
        "lesions": keyed_hashes(key, (prepared.manifest.lesion_key(s.lesion_id) for s in seen)),
    }

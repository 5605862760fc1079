"""The verb `train`: a prepared set in, a sealed and logged bundle out."""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.data import PreparedSet, prepare
from skincli.models.backbones import check_backbone
from skincli.progress import Progress
from skincli.tracking.run_folder import RunFolder
from skincli.tracking.runs import RunRecorder, recorded_run
from skincli.training.curves import draw_curves
from skincli.training.environment import describe_environment
from skincli.training.fit import Fitted, build_network, choose_device, fit
from skincli.training.resume import find_run_to_resume
from skincli.training.sealing import seal_bundle


@dataclass(frozen=True, slots=True)
class TrainResult:
    """A finished run: where it lies, what was reached on validation, and the sealed bundle."""

    run_id: str
    folder: Path
    bundle: Bundle
    epochs: int
    best_epoch: int
    balanced_accuracy: float
    seconds: float
    device: str
    parameters: int
    synthetic: bool


def train(config: Config, progress: Progress, resume: bool = False) -> TrainResult:
    """Train, export, calibrate, seal and log. `resume` goes on with the newest unfinished run.

    Raises SkincliError; whatever happens, the run ends as FINISHED, FAILED or KILLED.
    """
    check_backbone(config.model)
    device = choose_device(config)
    prepared = prepare(config, progress).prepared
    split = prepared.manifest.split_fingerprint
    resumed = find_run_to_resume(config, split) if resume else None
    network = build_network(config)
    parameters = sum(p.numel() for p in network.parameters())
    name = config.run.name or f"{prepared.manifest.name}-{config.model.backbone}"
    _announce(config, prepared, f"{device}, {parameters / 1e6:.2f} M parameters", progress)
    began = time.monotonic()
    with recorded_run(config, name, split, resumed, progress) as recorder:
        folder = recorder.folder
        progress.note(f"{'Resuming' if resumed else 'Run'} {recorder.run_id} in {folder.path}")
        recorder.tags(_tags(prepared))
        recorder.environment(describe_environment(device))
        fitted = fit(config, prepared, network, recorder, progress, resume=resume)
        progress.note(f"Best epoch {fitted.epoch + 1}; exporting and calibrating")
        bundle = _finish(config, prepared, fitted, recorder)
    return TrainResult(
        run_id=recorder.run_id,
        folder=folder.path,
        bundle=bundle,
        epochs=len(folder.read_metrics()),
        best_epoch=fitted.epoch + 1,
        balanced_accuracy=fitted.balanced_accuracy,
        seconds=time.monotonic() - began,
        device=str(device),
        parameters=parameters,
        synthetic=prepared.manifest.synthetic,
    )


def _finish(config: Config, prepared: PreparedSet, fitted: Fitted, recorder: RunRecorder) -> Bundle:
    folder = recorder.folder
    bundle = seal_bundle(config, prepared, fitted.network, folder)
    _draw(folder, fitted, prepared)
    recorder.file(folder.curves)
    recorder.file(folder.metrics)
    recorder.bundle(bundle)
    return bundle


def _draw(folder: RunFolder, fitted: Fitted, prepared: PreparedSet) -> None:
    manifest = prepared.manifest
    title = folder.state().name + (" (synthetic data)" if manifest.synthetic else "")
    draw_curves(folder.read_metrics(), fitted.epoch, title, folder.curves)


def _announce(config: Config, prepared: PreparedSet, machine: str, progress: Progress) -> None:
    manifest = prepared.manifest
    counts = Counter(prepared.samples[row].dx for row in prepared.rows("train"))
    progress.note(
        f"Training {config.model.backbone} ({machine}) on {manifest.name}: "
        f"{counts.total():,} images of {manifest.image_size} px; "
        + ", ".join(f"{dx} {n:,}" for dx, n in sorted(counts.items()))
    )
    if manifest.synthetic:
        progress.note("These are synthetic images: no figure from them is a medical result")


def _tags(prepared: PreparedSet) -> dict[str, str]:
    manifest = prepared.manifest
    return {
        "skincli.data": manifest.name,
        "skincli.synthetic": str(manifest.synthetic).lower(),
        "skincli.dataset_fingerprint": manifest.dataset_fingerprint,
        "skincli.split_fingerprint": manifest.split_fingerprint,
        "skincli.test_fingerprint": manifest.test_fingerprint,
    }

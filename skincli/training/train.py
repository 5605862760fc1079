"""The verb `train`: a prepared set in, a sealed and logged bundle out."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.data import PreparedSet, prepare
from skincli.errors import Interrupted
from skincli.models.backbones import check_backbone
from skincli.models.network import Network
from skincli.progress import Progress, Silent
from skincli.tracking.runs import RunRecorder, recorded_run
from skincli.training.classes import ClassTable
from skincli.training.device import choose_device
from skincli.training.environment import describe_environment
from skincli.training.epoch_table import EpochTable
from skincli.training.epochs import OnEpoch
from skincli.training.fit import Fitted, build_network, fit, kept
from skincli.training.probe import probe
from skincli.training.ranks import end_with_leader, follow, global_rank, lead
from skincli.training.report import Report
from skincli.training.resume import find_run_cut_off, find_run_to_resume, has_checkpoint
from skincli.training.sealing import seal_bundle
from skincli.training.start import describe_start
from skincli.versioning.recording import data_version, to_record, to_tags


@dataclass(frozen=True, slots=True)
class TrainResult:
    """A finished run: where it lies, what was reached on validation, and the sealed bundle.

    `validation` is measured on the bundle, `balanced_accuracy` was during training.
    """

    run_id: str
    folder: Path
    bundle: Bundle
    validation: ClassTable
    epochs: int
    best_epoch: int
    balanced_accuracy: float
    seconds: float
    device: str
    parameters: int
    synthetic: bool


def train(
    config: Config,
    progress: Progress,
    resume: bool = False,
    if_any: bool = False,
    on_epoch: OnEpoch | None = None,
    parent: str | None = None,
) -> TrainResult | None:
    """Train, export, calibrate, seal and log. `resume` goes on with the newest unfinished run; with
    `if_any` one is begun where there is none of this config, split and commit.

    `on_epoch` sees the figures of each epoch and may end the run by raising; `parent` is the run
    that this one belongs to. None for a process that only trained along (see `ranks`).

    Raises SkincliError; whatever happens, the run ends as FINISHED, FAILED or KILLED.
    """
    check_backbone(config.model)
    device = choose_device(config)
    rank = global_rank(config, device)
    if rank:
        _train_along(config, device, rank, resume)
        return None
    prepared = prepare(config, progress).prepared
    split = prepared.manifest.split_fingerprint
    find = find_run_cut_off if if_any else find_run_to_resume
    resumed = find(config, split) if resume else None
    if resumed is not None and not has_checkpoint(resumed):
        resumed.metrics.unlink(missing_ok=True)  # it begins again
    network = build_network(config)
    parameters = sum(p.numel() for p in network.parameters())
    name = config.run.name or f"{prepared.manifest.name}-{config.model.backbone}"
    began = time.monotonic()
    with recorded_run(config, name, split, resumed, progress, parent=parent) as recorder:
        folder = recorder.folder
        report = _open(config, prepared, device, parameters, recorder, progress)
        lead(config, device, folder)
        with report.training():
            if config.train.mode == "probe":
                fitted = _probe(config, prepared, network, device, recorder, progress, on_epoch)
            else:
                record = _record(config, recorder, report, progress, on_epoch)
                fit(
                    config, prepared, network, folder, device, progress, record,
                    rank=rank, resume=resume,
                )  # fmt: skip
                fitted = kept(config, network, folder)
        progress.note(f"Weights of epoch {fitted.epoch + 1}; exporting and calibrating")
        bundle = seal_bundle(config, prepared, fitted.network, folder)
        table = report.end(bundle, fitted.epoch)
        recorder.bundle(bundle)
    return TrainResult(
        run_id=recorder.run_id,
        folder=folder.path,
        bundle=bundle,
        validation=table,
        epochs=len(folder.read_metrics()),
        best_epoch=fitted.epoch + 1,
        balanced_accuracy=fitted.balanced_accuracy,
        seconds=time.monotonic() - began,
        device=str(device),
        parameters=parameters,
        synthetic=prepared.manifest.synthetic,
    )


def _train_along(config: Config, device: torch.device, rank: int, resume: bool) -> None:
    end_with_leader()
    folder = follow(config, device)
    prepared, network = prepare(config, Silent()).prepared, build_network(config)
    with suppress(Interrupted):  # the leader tells of it
        fit(config, prepared, network, folder, device, Silent(), _nobody, rank=rank, resume=resume)


def _nobody(_epoch: int, _figures: Mapping[str, float]) -> None:
    """The leader records for all."""


def _open(
    config: Config,
    prepared: PreparedSet,
    device: torch.device,
    parameters: int,
    recorder: RunRecorder,
    progress: Progress,
) -> Report:
    """Say, record and draw what is about to be done."""
    start = describe_start(config, prepared, device, parameters, recorder.folder)
    progress.panel(start.title, start.rows())
    version = data_version(config.data, prepared)
    recorder.tags(_tags(prepared) | to_tags(version))
    recorder.environment(describe_environment(device) | to_record(version))
    report = Report(config, prepared, recorder, progress)
    report.start()
    return report


def _record(
    config: Config,
    recorder: RunRecorder,
    report: Report,
    progress: Progress,
    on_epoch: OnEpoch | None,
) -> OnEpoch:
    """What is done with the figures of each epoch, the run folder first."""
    table = EpochTable(progress, config.trainer.max_epochs, recorder.folder.read_metrics())

    def record(epoch: int, figures: Mapping[str, float]) -> None:
        recorder.metrics(figures, epoch)
        table.add(epoch, figures)
        report.epoch()
        if on_epoch is not None:
            on_epoch(epoch, figures)

    return record


def _probe(
    config: Config,
    prepared: PreparedSet,
    network: Network,
    device: torch.device,
    recorder: RunRecorder,
    progress: Progress,
    on_epoch: OnEpoch | None,
) -> Fitted:
    """The fitted head as the weights of the one and only epoch."""
    probed = probe(config, prepared, network, device, progress)
    figures = {
        "validation_balanced_accuracy": probed.balanced_accuracy,
        "validation_macro_auroc": probed.macro_auroc,
        "seconds": probed.seconds,
        "strength": probed.strength,
    }
    recorder.metrics(figures, 0)
    if on_epoch is not None:
        on_epoch(0, figures)
    return Fitted(probed.network, 0, probed.balanced_accuracy)


def _tags(prepared: PreparedSet) -> dict[str, str]:
    manifest = prepared.manifest
    return {
        "skincli.data": manifest.name,
        "skincli.synthetic": str(manifest.synthetic).lower(),
        "skincli.dataset_fingerprint": manifest.dataset_fingerprint,
        "skincli.split_fingerprint": manifest.split_fingerprint,
        "skincli.test_fingerprint": manifest.test_fingerprint,
    }

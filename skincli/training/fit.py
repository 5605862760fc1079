"""The Lightning Trainer on the packed set: from rows to the best checkpoint."""

import logging
import warnings
from dataclasses import dataclass
from typing import Any, Final

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint

from skincli.config.schema import Config
from skincli.data import PreparedSet
from skincli.errors import ConfigError, SkincliError
from skincli.models.backbones import build_backbone
from skincli.models.module import LesionModule
from skincli.models.network import Network
from skincli.progress import Progress
from skincli.taxonomy import classes_of
from skincli.tracking.run_folder import RunFolder
from skincli.tracking.runs import RunRecorder
from skincli.training.callbacks import EpochReport
from skincli.training.input.batches import DeviceImages, PlainBatches, TrainBatches

_MONITOR: Final = "validation_balanced_accuracy"
# Lightning's advice on loaders and loggers that we do not use, and on resuming into a folder.
_ADVICE: Final = (
    r"(?s).*(does not have many workers|litlogger|LeafSpec|isinstance\(treespec"
    r"|exists and is not empty).*"
)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The network with its best weights, and the epoch they come from."""

    network: Network
    epoch: int
    balanced_accuracy: float


def choose_device(config: Config) -> torch.device:
    """The device to train on. Raises ConfigError when a GPU is asked for and there is none."""
    wanted, present = config.trainer.accelerator, torch.cuda.is_available()
    if wanted == "cuda" and not present:
        raise ConfigError(
            "trainer.accelerator=cuda, but torch sees no GPU",
            "install a driver and a torch that fit each other",
        )
    return torch.device("cuda", 0) if present and wanted != "cpu" else torch.device("cpu")


def choose_precision(config: Config, device: torch.device) -> Any:
    """bf16 needs a device that has it: on most CPUs autocast to it is slower than 32 bit."""
    if config.trainer.precision != "auto":
        return config.trainer.precision
    fast = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16-mixed" if fast else "32-true"


def build_network(config: Config) -> Network:
    """The configured network; its new weights are a function of `seed`."""
    torch.manual_seed(config.seed)
    n_classes = len(classes_of(config.task))
    network = Network(build_backbone(config.model), n_classes, config.model.dropout)
    return network.to(memory_format=torch.channels_last)


def fit(
    config: Config,
    prepared: PreparedSet,
    network: Network,
    recorder: RunRecorder,
    progress: Progress,
    *,
    resume: bool,
) -> Fitted:
    """Train with early stopping on validation balanced accuracy. Raises SkincliError."""
    device = choose_device(config)
    train, validation = _batches(config, prepared, device)
    module = LesionModule(
        network,
        config.loss,
        config.optimizer,
        class_counts=_class_counts(config, prepared),
        total_steps=config.trainer.max_epochs * len(train),
    )
    folder = recorder.folder
    done = len(folder.read_metrics()) if resume else 0
    total = (config.trainer.max_epochs - done) * len(train)
    with progress.step("Training", max(1, total)) as step, _quiet_lightning():
        checkpoints = _checkpoint_callback(folder)
        stopping = EarlyStopping(_MONITOR, mode="max", patience=config.trainer.patience)
        callbacks = [EpochReport(recorder, step, train), stopping, checkpoints]
        trainer = _trainer(config, device, folder, callbacks)
        last = str(folder.checkpoints / "last.ckpt") if resume else None
        try:
            trainer.fit(module, train, validation, ckpt_path=last, weights_only=False)
        except torch.OutOfMemoryError as error:
            raise SkincliError(
                f"the GPU's memory is full: {error}", "try a smaller data.batch_size"
            ) from error
    return _best(checkpoints, module)


def _batches(
    config: Config, prepared: PreparedSet, device: torch.device
) -> tuple[TrainBatches, PlainBatches]:
    labels = prepared.labels(config.task)
    train, validation = (
        DeviceImages(prepared.images[rows], labels[rows], device)
        for rows in (prepared.rows("train"), prepared.rows("validation"))
    )
    size = config.data.batch_size
    return TrainBatches(train, config.augment, size, config.seed), PlainBatches(validation, size)


def _class_counts(config: Config, prepared: PreparedSet) -> list[int]:
    labels = prepared.labels(config.task)[prepared.rows("train")]
    counts: list[int] = np.bincount(labels, minlength=len(classes_of(config.task))).tolist()
    return counts


def _checkpoint_callback(folder: RunFolder) -> ModelCheckpoint:
    return ModelCheckpoint(
        dirpath=folder.checkpoints,
        filename="best",
        monitor=_MONITOR,
        mode="max",
        save_last=True,
        enable_version_counter=False,
    )


def _trainer(
    config: Config, device: torch.device, folder: RunFolder, callbacks: list[pl.Callback]
) -> pl.Trainer:
    return pl.Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=1,
        precision=choose_precision(config, device),
        max_epochs=config.trainer.max_epochs,
        callbacks=callbacks,
        default_root_dir=folder.path,
        logger=False,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def _best(checkpoints: ModelCheckpoint, module: LesionModule) -> Fitted:
    if checkpoints.best_model_score is None or not checkpoints.best_model_path:
        raise SkincliError("training ended without a single epoch", "raise trainer.max_epochs")
    # Our own checkpoint, written moments or a resume ago into our own run folder.
    saved = torch.load(checkpoints.best_model_path, map_location="cpu", weights_only=False)
    module.load_state_dict(saved["state_dict"])
    score = float(checkpoints.best_model_score)
    return Fitted(module.network.eval(), int(saved["epoch"]), score)


class _quiet_lightning(warnings.catch_warnings):  # noqa: N801  used like the function it extends
    """Lightning prints its device list and advice that does not apply here."""

    def __enter__(self) -> Any:
        entered = super().__enter__()
        warnings.filterwarnings("ignore", _ADVICE)
        for name in ("lightning", "lightning.pytorch", "lightning.fabric"):
            logging.getLogger(name).setLevel(logging.ERROR)
        return entered

"""What a run is about to do, for whoever starts it."""

from dataclasses import dataclass
from pathlib import Path

import torch

from skincli.config.operating import NO_STORE
from skincli.config.schema import Config
from skincli.config.secrets import mask
from skincli.data import PreparedSet
from skincli.taxonomy import classes_of
from skincli.tracking.run_folder import RunFolder
from skincli.training.device import choose_precision


@dataclass(frozen=True, slots=True)
class ClassImages:
    """How many images of one class there are to learn from, and to be measured on."""

    code: str
    train: int
    validation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainStart:
    """What `train` says before the first step.

    `parameters` are those of the network; `image_size` is the side in pixels; `batch_size` counts
    the images of a step over all devices; `epochs_done` are those before a resume.
    """

    run_id: str
    folder: Path
    device: str
    precision: str
    model: str
    parameters: int
    weights: str
    data: str
    synthetic: bool
    image_size: int
    crop: str
    classes: tuple[ClassImages, ...]
    batch_size: int
    max_epochs: int
    epochs_done: int
    patience: int
    tracking: str

    @property
    def title(self) -> str:
        kind = " (synthetic data)" if self.synthetic else ""
        verb = "Going on with" if self.epochs_done else "Training"
        return f"{verb} {self.model} on {self.data}{kind}"

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Names and values for a panel; values may have several lines."""
        rows = [
            ("device", f"{self.device}, {self.precision}"),
            ("model", f"{self.model}, {self.parameters / 1e6:,.2f} M parameters, {self.weights}"),
            ("images", f"{self.image_size} x {self.image_size} px, crop {self.crop}"),
            ("classes", "\n".join(_class_lines(self.classes))),
            ("batch size", f"{self.batch_size:,}"),
            ("epochs", self._epochs()),
            ("results", str(self.folder)),
            ("tracking", f"{self.tracking}, run {self.run_id}"),
        ]
        if self.synthetic:
            rows.append(("note", "drawn images: no figure from them is a medical result"))
        return tuple(rows)

    def _epochs(self) -> str:
        done = f", {self.epochs_done:,} of them done" if self.epochs_done else ""
        patience = f"; ends after {self.patience} without a better one" if self.patience else ""
        return f"{self.max_epochs:,}{done}{patience}"


def describe_start(
    config: Config, prepared: PreparedSet, device: torch.device, parameters: int, folder: RunFolder
) -> TrainStart:
    """Everything a person wants to have checked before hours are spent."""
    manifest = prepared.manifest
    return TrainStart(
        run_id=folder.state().run_id,
        # As the user wrote it: short enough to be read and copied.
        folder=Path(config.run.root) / folder.path.name,
        device=machine_name(config, device),
        precision=str(choose_precision(config, device)),
        model=config.model.backbone,
        parameters=parameters,
        weights=_weights(config),
        data=manifest.name,
        synthetic=manifest.synthetic,
        image_size=manifest.image_size,
        crop=manifest.crop,
        classes=_counts(config, prepared),
        batch_size=config.data.batch_size,
        max_epochs=config.trainer.max_epochs,
        epochs_done=len(folder.read_metrics()),
        patience=config.trainer.patience,
        tracking=_tracking(config.tracking.uri),
    )


def machine_name(config: Config, device: torch.device) -> str:
    """The devices that train, for people."""
    if device.type == "cuda":
        one = f"{torch.cuda.get_device_name(device)} (cuda)"
    else:
        threads = torch.get_num_threads()
        one = f"cpu ({threads} thread{'s' if threads > 1 else ''})"
    count = config.trainer.processes
    return f"{count} x {one}" if count > 1 else one


def _weights(config: Config) -> str:
    model = config.model
    new = "ImageNet weights" if model.pretrained else "new weights"
    weights = f"weights from {model.weights}" if model.weights else new
    return f"{weights}, only the head learns" if config.train.mode == "probe" else weights


def _tracking(uri: str) -> str:
    return "none, only the folder" if uri == NO_STORE else mask(uri)


def _counts(config: Config, prepared: PreparedSet) -> tuple[ClassImages, ...]:
    labels = prepared.labels(config.task)
    train, validation = labels[prepared.rows("train")], labels[prepared.rows("validation")]
    return tuple(
        ClassImages(info.code, int((train == index).sum()), int((validation == index).sum()))
        for index, info in enumerate(classes_of(config.task))
    )


def _class_lines(classes: tuple[ClassImages, ...]) -> list[str]:
    """Columns of counts, each as wide as its widest, with the sum at the end."""
    columns = [("", "train", "validation")]
    columns += [(one.code, f"{one.train:,}", f"{one.validation:,}") for one in classes]
    train, validation = sum(one.train for one in classes), sum(one.validation for one in classes)
    columns.append(("all", f"{train:,}", f"{validation:,}"))
    widths = [max(map(len, column)) for column in columns]
    return [
        "  ".join(
            column[line].ljust(width) if index == 0 else column[line].rjust(width)
            for index, (column, width) in enumerate(zip(columns, widths, strict=True))
        )
        for line in range(3)
    ]

"""Every setting of skincli: its name, type, default and a line on what it is for.

With `data.py` and `operating.py` the only place where a default is written. Dataclasses of the
standard library: reading the schema costs nothing; `load.py` lays files, environment and command
line over it.
"""

from dataclasses import dataclass, field
from typing import Literal

from skincli.config.data import DataConfig
from skincli.config.fields import opt, require
from skincli.config.operating import (
    EvaluateConfig,
    InferenceConfig,
    RegistryConfig,
    RunnerConfig,
    ServeConfig,
    TrackingConfig,
)
from skincli.taxonomy import Task


@dataclass(kw_only=True, slots=True)
class ImageConfig:
    max_megabytes: float = opt(20.0, "largest image file that is decoded")
    max_megapixels: float = opt(50.0, "largest image, in millions of pixels, that is decoded")

    def __post_init__(self) -> None:
        require(self.max_megabytes > 0, "image.max_megabytes", "above 0")
        require(self.max_megapixels > 0, "image.max_megapixels", "above 0")


@dataclass(kw_only=True, slots=True)
class ModelConfig:
    backbone: str = opt("resnet18", "a torchvision model such as resnet18, or small_resnet")
    pretrained: bool = opt(True, "start from ImageNet weights (torchvision backbones)")
    weights: str | None = opt(None, "file with backbone weights (a state dict) to start from")
    width: int = opt(32, "channels of small_resnet's first stage")
    dropout: float = opt(0.2, "dropout before the linear head")

    def __post_init__(self) -> None:
        require(4 <= self.width <= 512, "model.width", "between 4 and 512")
        require(0 <= self.dropout < 1, "model.dropout", "between 0 and 1")


@dataclass(kw_only=True, slots=True)
class LossConfig:
    class_weight_power: float = opt(0.5, "weight of a class: its frequency to minus this power")
    label_smoothing: float = opt(0.0, "share of the label spread over the other classes")

    def __post_init__(self) -> None:
        require(0 <= self.class_weight_power <= 1, "loss.class_weight_power", "between 0 and 1")
        require(0 <= self.label_smoothing < 1, "loss.label_smoothing", "between 0 and 1")


@dataclass(kw_only=True, slots=True)
class OptimizerConfig:
    lr: float = opt(3e-4, "peak learning rate of AdamW")
    weight_decay: float = opt(0.05, "decoupled weight decay")
    warmup_fraction: float = opt(0.1, "share of all steps that warm up linearly; cosine follows")

    def __post_init__(self) -> None:
        require(self.lr > 0, "optimizer.lr", "above 0")
        require(0 <= self.warmup_fraction < 1, "optimizer.warmup_fraction", "between 0 and 1")


@dataclass(kw_only=True, slots=True)
class AugmentConfig:
    horizontal_flip: float = opt(0.5, "probability of a left-right flip")
    vertical_flip: float = opt(0.5, "probability of an upside-down flip")
    rotation: float = opt(180.0, "largest rotation, degrees either way")
    scale: float = opt(0.2, "largest relative change of size, either way")
    brightness: float = opt(0.2, "largest relative change of brightness")
    contrast: float = opt(0.2, "largest relative change of contrast")
    saturation: float = opt(0.2, "largest relative change of saturation")
    hue: float = opt(0.02, "largest shift of hue, as a share of the colour circle")


@dataclass(kw_only=True, slots=True)
class TrainerConfig:
    accelerator: Literal["auto", "cpu", "cuda"] = opt("auto", "auto: a GPU if there is one")
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = opt(
        "auto", "auto: bf16 on a GPU that has it, else 32 bit"
    )
    max_epochs: int = opt(30, "epochs at the most")
    patience: int = opt(10, "epochs without a better validation balanced accuracy before stopping")

    def __post_init__(self) -> None:
        require(self.max_epochs >= 1, "trainer.max_epochs", "at least 1")
        require(self.patience >= 1, "trainer.patience", "at least 1")


@dataclass(kw_only=True, slots=True)
class CalibrationConfig:
    target_sensitivity: float = opt(0.95, "malignant sensitivity kept by the operating point")

    def __post_init__(self) -> None:
        require(0.5 <= self.target_sensitivity <= 1, "calibration.target_sensitivity", "0.5 to 1")


@dataclass(kw_only=True, slots=True)
class ExportConfig:
    tolerance: float = opt(1e-3, "largest difference in probability between torch and ONNX")


@dataclass(kw_only=True, slots=True)
class RunConfig:
    root: str = opt("runs", "folder under which run folders are made")
    name: str | None = opt(None, "name of the run; default: data set and backbone")


@dataclass(kw_only=True, slots=True)
class Config:
    """The whole configuration. Groups of files may set a section: `data=synthetic`."""

    task: Task = opt("multiclass", "multiclass: 7 diagnoses; binary: benign or malignant")
    seed: int = opt(0, "seed of weights, order and augmentation")
    image: ImageConfig = field(default_factory=ImageConfig)
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)
    export: ExportConfig = field(default_factory=ExportConfig)
    run: RunConfig = field(default_factory=RunConfig)
    inference: InferenceConfig = field(default_factory=InferenceConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    registry: RegistryConfig = field(default_factory=RegistryConfig)
    serve: ServeConfig = field(default_factory=ServeConfig)
    runner: RunnerConfig = field(default_factory=RunnerConfig)

    def __post_init__(self) -> None:
        require(self.seed >= 0, "seed", "0 or more")

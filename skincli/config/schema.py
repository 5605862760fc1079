"""Every setting of skincli: its name, type, default and a line on what it is for.

With its neighbours (`data.py`, `training.py`, `serving.py` ...) the only place where a default
is written.
Dataclasses of the standard library: reading the schema costs nothing; `load.py` lays files,
environment and command line over it.
"""

from dataclasses import dataclass, field

from skincli.config.automation import RunnerConfig, VersioningConfig
from skincli.config.data import DataConfig
from skincli.config.fields import opt, require
from skincli.config.operating import (
    EvaluateConfig,
    InferenceConfig,
    Int8Config,
    RegistryConfig,
    TrackingConfig,
)
from skincli.config.promotion import PromotionConfig
from skincli.config.serving import ServeConfig
from skincli.config.training import (
    AugmentConfig,
    CalibrationConfig,
    CheckpointConfig,
    ExportConfig,
    LossConfig,
    ModelConfig,
    OptimizerConfig,
    TrainConfig,
    TrainerConfig,
)
from skincli.config.tuning import TuneConfig
from skincli.taxonomy import Task


@dataclass(kw_only=True, slots=True)
class ImageConfig:
    max_megabytes: float = opt(20.0, "largest image file that is decoded")
    max_megapixels: float = opt(50.0, "largest image, in millions of pixels, that is decoded")

    def __post_init__(self) -> None:
        require(self.max_megabytes > 0, "image.max_megabytes", "above 0")
        require(self.max_megapixels > 0, "image.max_megapixels", "above 0")


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
    train: TrainConfig = field(default_factory=TrainConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)
    export: ExportConfig = field(default_factory=ExportConfig)
    run: RunConfig = field(default_factory=RunConfig)
    inference: InferenceConfig = field(default_factory=InferenceConfig)
    int8: Int8Config = field(default_factory=Int8Config)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    registry: RegistryConfig = field(default_factory=RegistryConfig)
    promotion: PromotionConfig = field(default_factory=PromotionConfig)
    serve: ServeConfig = field(default_factory=ServeConfig)
    runner: RunnerConfig = field(default_factory=RunnerConfig)
    versioning: VersioningConfig = field(default_factory=VersioningConfig)
    tune: TuneConfig = field(default_factory=TuneConfig)

    def __post_init__(self) -> None:
        require(self.seed >= 0, "seed", "0 or more")

"""Every setting of skincli: its name, type, default and a line on what it is for.

This is the only place where a default is written. Dataclasses of the standard library, so that
reading the schema costs nothing; `load.py` lays files, environment and command line over it.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from skincli.taxonomy import Task

Crop = Literal["center", "whole"]


def _opt(default: Any, help_text: str) -> Any:
    """A field with a default and its description. Returns Any: dataclasses check the rest."""
    return field(default=default, metadata={"help": help_text})


def _require(condition: bool, key: str, rule: str) -> None:
    if not condition:
        raise ValueError(f"{key} must be {rule}")


@dataclass(kw_only=True, slots=True)
class ImageConfig:
    max_megabytes: float = _opt(20.0, "largest image file that is decoded")
    max_megapixels: float = _opt(50.0, "largest image, in millions of pixels, that is decoded")

    def __post_init__(self) -> None:
        _require(self.max_megabytes > 0, "image.max_megabytes", "above 0")
        _require(self.max_megapixels > 0, "image.max_megapixels", "above 0")


@dataclass(kw_only=True, slots=True)
class ColumnsConfig:
    image_id: str = _opt("image_id", "column with the image's file name, suffix optional")
    lesion_id: str = _opt("lesion_id", "column that tells which images show the same lesion")
    dx: str = _opt("dx", "column with the diagnosis code")
    dx_type: str = _opt("dx_type", "column with how the diagnosis was confirmed (may be absent)")
    age: str = _opt("age", "column with the age in years (may be absent)")
    sex: str = _opt("sex", "column with the sex (may be absent)")
    localization: str = _opt("localization", "column with the body site (may be absent)")
    dataset: str = _opt("dataset", "column with the source camera or clinic (may be absent)")


@dataclass(kw_only=True, slots=True)
class FolderConfig:
    images: str | None = _opt(None, "folder with your images, for data=folder")
    metadata: str | None = _opt(None, "CSV with one row per image, for data=folder")
    licence: str = _opt("unknown", "licence of your images, kept with every model")
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)


@dataclass(kw_only=True, slots=True)
class SyntheticConfig:
    lesions: int = _opt(900, "number of lesions to draw, for data=synthetic")
    seed: int = _opt(7, "seed of the drawing")

    def __post_init__(self) -> None:
        _require(self.lesions >= 70, "data.synthetic.lesions", "at least 70")
        _require(self.seed >= 0, "data.synthetic.seed", "0 or more")


@dataclass(kw_only=True, slots=True)
class SplitConfig:
    train: float = _opt(0.70, "share of lesions to learn from")
    validation: float = _opt(0.10, "share for early stopping and choices")
    calibration: float = _opt(0.08, "share for the temperature and the operating point")
    test: float = _opt(0.12, "share for headline figures and the promotion gate, nothing else")
    seed: int = _opt(0, "seed of the assignment of lesions to parts")

    def __post_init__(self) -> None:
        parts = (self.train, self.validation, self.calibration, self.test)
        _require(min(parts) > 0, "data.split", "four shares above 0")
        _require(abs(sum(parts) - 1) < 1e-6, "data.split", "shares that sum to 1")


@dataclass(kw_only=True, slots=True)
class DataConfig:
    source: Literal["ham10000", "synthetic", "folder"] = _opt("ham10000", "where images come from")
    name: str | None = _opt(None, "name of the data set on disk; default: the source's name")
    root: str = _opt("data", "folder under which data sets are kept")
    mirror: str | None = _opt(None, "URL or local folder holding the published archives and CSV")
    image_size: int = _opt(224, "side in pixels of the square images that the network sees")
    crop: Crop = _opt("center", "center: largest centred square; whole: full frame, squeezed")
    batch_size: int = _opt(64, "images per training step")
    folder: FolderConfig = field(default_factory=FolderConfig)
    synthetic: SyntheticConfig = field(default_factory=SyntheticConfig)
    split: SplitConfig = field(default_factory=SplitConfig)

    def __post_init__(self) -> None:
        _require(16 <= self.image_size <= 1024, "data.image_size", "between 16 and 1024")
        _require(self.batch_size >= 2, "data.batch_size", "at least 2")

    @property
    def set_name(self) -> str:
        return self.name or self.source


@dataclass(kw_only=True, slots=True)
class ModelConfig:
    backbone: str = _opt("resnet18", "a torchvision model such as resnet18, or small_resnet")
    pretrained: bool = _opt(True, "start from ImageNet weights (torchvision backbones)")
    weights: str | None = _opt(None, "file with backbone weights (a state dict) to start from")
    width: int = _opt(32, "channels of small_resnet's first stage")
    dropout: float = _opt(0.2, "dropout before the linear head")

    def __post_init__(self) -> None:
        _require(4 <= self.width <= 512, "model.width", "between 4 and 512")
        _require(0 <= self.dropout < 1, "model.dropout", "between 0 and 1")


@dataclass(kw_only=True, slots=True)
class LossConfig:
    class_weight_power: float = _opt(0.5, "weight of a class: its frequency to minus this power")
    label_smoothing: float = _opt(0.0, "share of the label spread over the other classes")

    def __post_init__(self) -> None:
        _require(0 <= self.class_weight_power <= 1, "loss.class_weight_power", "between 0 and 1")
        _require(0 <= self.label_smoothing < 1, "loss.label_smoothing", "between 0 and 1")


@dataclass(kw_only=True, slots=True)
class OptimizerConfig:
    lr: float = _opt(3e-4, "peak learning rate of AdamW")
    weight_decay: float = _opt(0.05, "decoupled weight decay")
    warmup_fraction: float = _opt(0.1, "share of all steps that warm up linearly; cosine follows")

    def __post_init__(self) -> None:
        _require(self.lr > 0, "optimizer.lr", "above 0")
        _require(0 <= self.warmup_fraction < 1, "optimizer.warmup_fraction", "between 0 and 1")


@dataclass(kw_only=True, slots=True)
class AugmentConfig:
    horizontal_flip: float = _opt(0.5, "probability of a left-right flip")
    vertical_flip: float = _opt(0.5, "probability of an upside-down flip")
    rotation: float = _opt(180.0, "largest rotation, degrees either way")
    scale: float = _opt(0.2, "largest relative change of size, either way")
    brightness: float = _opt(0.2, "largest relative change of brightness")
    contrast: float = _opt(0.2, "largest relative change of contrast")
    saturation: float = _opt(0.2, "largest relative change of saturation")
    hue: float = _opt(0.02, "largest shift of hue, as a share of the colour circle")


@dataclass(kw_only=True, slots=True)
class TrainerConfig:
    accelerator: Literal["auto", "cpu", "cuda"] = _opt("auto", "auto: a GPU if there is one")
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = _opt(
        "auto", "auto: bf16 on a GPU that has it, else 32 bit"
    )
    max_epochs: int = _opt(30, "epochs at the most")
    patience: int = _opt(10, "epochs without a better validation balanced accuracy before stopping")

    def __post_init__(self) -> None:
        _require(self.max_epochs >= 1, "trainer.max_epochs", "at least 1")
        _require(self.patience >= 1, "trainer.patience", "at least 1")


@dataclass(kw_only=True, slots=True)
class CalibrationConfig:
    target_sensitivity: float = _opt(0.95, "malignant sensitivity kept by the operating point")

    def __post_init__(self) -> None:
        _require(0.5 <= self.target_sensitivity <= 1, "calibration.target_sensitivity", "0.5 to 1")


@dataclass(kw_only=True, slots=True)
class ExportConfig:
    tolerance: float = _opt(1e-3, "largest difference in probability between torch and ONNX")


@dataclass(kw_only=True, slots=True)
class RunConfig:
    root: str = _opt("runs", "folder under which run folders are made")
    name: str | None = _opt(None, "name of the run; default: data set and backbone")


@dataclass(kw_only=True, slots=True)
class InferenceConfig:
    threads: int = _opt(0, "CPU threads of ONNX Runtime; 0: one per core")
    batch_size: int = _opt(64, "images per inference step")

    def __post_init__(self) -> None:
        _require(self.threads >= 0, "inference.threads", "0 or more")
        _require(self.batch_size >= 1, "inference.batch_size", "at least 1")


@dataclass(kw_only=True, slots=True)
class EvaluateConfig:
    root: str = _opt("evaluations", "folder under which evaluations are written")


@dataclass(kw_only=True, slots=True)
class TrackingConfig:
    uri: str = _opt("sqlite:///mlflow.db", "MLflow store: sqlite:///FILE or http(s)://SERVER")
    experiment: str = _opt("skincli", "MLflow experiment that runs belong to")
    host: str = _opt("127.0.0.1", "address that `skincli track` listens on")
    port: int = _opt(5000, "port that `skincli track` listens on")
    start_timeout: float = _opt(180.0, "seconds to wait until the tracking server answers")

    def __post_init__(self) -> None:
        known = self.uri.startswith(("sqlite:///", "http://", "https://"))
        _require(known, "tracking.uri", "sqlite:///FILE or an http(s) address")
        _require(0 < self.port < 65536, "tracking.port", "between 1 and 65535")


@dataclass(kw_only=True, slots=True)
class RegistryConfig:
    name: str = _opt("skin-lesion", "name of the registered model")
    alias: str = _opt("champion", "alias that promotion moves and serving follows")


@dataclass(kw_only=True, slots=True)
class ServeConfig:
    host: str = _opt("127.0.0.1", "address to listen on")
    port: int = _opt(8000, "port to listen on")
    model: str | None = _opt(None, "model to serve; default: the alias in the registry")
    max_images: int = _opt(32, "images in one request at the most")
    max_body_megabytes: float = _opt(64.0, "size of one request at the most")
    max_concurrency: int = _opt(64, "requests under way at once; more are answered 503")

    def __post_init__(self) -> None:
        _require(0 < self.port < 65536, "serve.port", "between 1 and 65535")
        _require(self.max_images >= 1, "serve.max_images", "at least 1")
        _require(self.max_body_megabytes > 0, "serve.max_body_megabytes", "above 0")
        _require(self.max_concurrency >= 1, "serve.max_concurrency", "at least 1")


@dataclass(kw_only=True, slots=True)
class RunnerConfig:
    repo: str | None = _opt(None, "repository URL; default: git's origin")
    image: str = _opt("iterativeai/cml:0-dvc2-base1-gpu", "container image of the runner")
    name: str = _opt("skincli-runner", "name of the container")
    labels: str = _opt("cml-gpu", "labels that workflows ask for, separated by commas")
    idle_timeout: str = _opt("never", "never, or a time such as 3min or 1h")
    shm_size: str = _opt("8g", "shared memory of the container")
    gpu: bool = _opt(True, "give the container the GPUs")


@dataclass(kw_only=True, slots=True)
class Config:
    """The whole configuration. Groups of files may set a section: `data=synthetic`."""

    task: Task = _opt("multiclass", "multiclass: 7 diagnoses; binary: benign or malignant")
    seed: int = _opt(0, "seed of weights, order and augmentation")
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
        _require(self.seed >= 0, "seed", "0 or more")

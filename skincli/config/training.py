"""The settings of training: the network, the loss, the optimizer, the augmentation, the machine."""

from dataclasses import dataclass
from typing import Final, Literal

from skincli.config.fields import opt, require

TestTimeAugmentation = Literal["none", "flips", "dihedral"]

_SHARES: Final = ("horizontal_flip", "vertical_flip", "erasing", "mixup", "cutmix")
_STRENGTHS: Final = ("scale", "aspect", "shift", "brightness", "contrast", "saturation")


@dataclass(kw_only=True, slots=True)
class ModelConfig:
    backbone: str = opt("resnet18", "a torchvision model such as resnet18, or small_resnet")
    pretrained: bool = opt(True, "start from ImageNet weights (torchvision backbones)")
    weights: str | None = opt(None, "file with backbone weights (a state dict) to start from")
    width: int = opt(32, "channels of small_resnet's first stage")
    stem_stride: int = opt(
        2, "by how much small_resnet's stem shrinks the image: 4 for 96 px and more"
    )
    dropout: float = opt(0.0, "dropout before the linear head")
    drop_path: float = opt(0.0, "probability that the deepest residual block is left out of a step")
    test_time_augmentation: TestTimeAugmentation = opt(
        "none",
        "views that the model averages over, inside the bundle: flips (4), dihedral (8)",
    )

    def __post_init__(self) -> None:
        require(4 <= self.width <= 512, "model.width", "between 4 and 512")
        require(self.stem_stride in (2, 4), "model.stem_stride", "2 or 4")
        require(0 <= self.dropout < 1, "model.dropout", "between 0 and 1")
        require(0 <= self.drop_path < 1, "model.drop_path", "between 0 and 1")


@dataclass(kw_only=True, slots=True)
class LossConfig:
    class_weight_power: float = opt(
        0.0, "weight of a class in the loss: its frequency to minus this power"
    )
    label_smoothing: float = opt(0.0, "share of the label spread over the other classes")

    def __post_init__(self) -> None:
        require(0 <= self.class_weight_power <= 1, "loss.class_weight_power", "between 0 and 1")
        require(0 <= self.label_smoothing < 1, "loss.label_smoothing", "between 0 and 1")


@dataclass(kw_only=True, slots=True)
class OptimizerConfig:
    lr: float = opt(3e-4, "peak learning rate of AdamW")
    weight_decay: float = opt(0.05, "decoupled weight decay")
    warmup_fraction: float = opt(0.1, "share of all steps that warm up linearly; cosine follows")
    layer_decay: float = opt(1.0, "learning rate of each stage over that of the stage after it")
    ema_epochs: float = opt(1.0, "epochs that the running mean of the weights looks back; 0: none")

    def __post_init__(self) -> None:
        require(self.lr > 0, "optimizer.lr", "above 0")
        require(0 <= self.warmup_fraction < 1, "optimizer.warmup_fraction", "between 0 and 1")
        require(0 < self.layer_decay <= 1, "optimizer.layer_decay", "above 0, at most 1")
        require(self.ema_epochs >= 0, "optimizer.ema_epochs", "0 or more")


@dataclass(kw_only=True, slots=True)
class AugmentConfig:
    """Drawn anew for each image and epoch."""

    horizontal_flip: float = opt(0.5, "probability of a left-right flip")
    vertical_flip: float = opt(0.5, "probability of an upside-down flip")
    rotation: float = opt(180.0, "largest rotation, degrees either way")
    scale: float = opt(0.2, "largest relative change of size, either way")
    aspect: float = opt(0.1, "largest relative change of width over height, either way")
    shift: float = opt(0.05, "largest shift, as a share of the side, either way")
    brightness: float = opt(0.2, "largest relative change of brightness")
    contrast: float = opt(0.2, "largest relative change of contrast")
    saturation: float = opt(0.2, "largest relative change of saturation")
    hue: float = opt(0.02, "largest shift of hue, as a share of the colour circle")
    erasing: float = opt(0.0, "probability that a rectangle is blotted out")
    mixup: float = opt(0.0, "probability that an image is blended with another")
    cutmix: float = opt(0.0, "probability that a rectangle comes from another image")

    def __post_init__(self) -> None:
        for name in _SHARES:
            require(0 <= getattr(self, name) <= 1, f"augment.{name}", "between 0 and 1")
        for name in _STRENGTHS:
            require(0 <= getattr(self, name) < 1, f"augment.{name}", "between 0 and 1")
        require(0 <= self.rotation <= 180, "augment.rotation", "between 0 and 180")
        require(0 <= self.hue <= 0.5, "augment.hue", "between 0 and 0.5")
        require(self.mixup + self.cutmix <= 1, "augment.mixup + augment.cutmix", "at most 1")


@dataclass(kw_only=True, slots=True)
class TrainConfig:
    mode: Literal["full", "probe"] = opt(
        "full", "probe: only the linear head learns, on features extracted once"
    )
    frozen_epochs: int = opt(0, "epochs at the start in which only the linear head learns")

    def __post_init__(self) -> None:
        require(self.frozen_epochs >= 0, "train.frozen_epochs", "0 or more")


@dataclass(kw_only=True, slots=True)
class TrainerConfig:
    accelerator: Literal["auto", "cpu", "cuda"] = opt("auto", "auto: a GPU if there is one")
    devices: int = opt(1, "GPUs, or processes on the CPU, on each machine")
    num_nodes: int = opt(1, "machines that train together")
    strategy: Literal["auto", "ddp"] = opt("auto", "ddp: one process a device")
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = opt(
        "auto", "auto: bf16 on a GPU that has it, else 32 bit"
    )
    channels_last: bool = opt(True, "memory layout; `skincli bench train` measures both")
    compile: bool = opt(False, "torch.compile the network: a slow start, faster steps")
    max_epochs: int = opt(30, "epochs at the most")
    patience: int = opt(10, "epochs without a better balanced accuracy before stopping; 0: never")

    def __post_init__(self) -> None:
        require(self.devices >= 1, "trainer.devices", "at least 1")
        require(self.num_nodes >= 1, "trainer.num_nodes", "at least 1")
        require(self.max_epochs >= 1, "trainer.max_epochs", "at least 1")
        require(self.patience >= 0, "trainer.patience", "0 or more")

    @property
    def processes(self) -> int:
        return self.devices * self.num_nodes


@dataclass(kw_only=True, slots=True)
class CheckpointConfig:
    every: float = opt(120.0, "seconds of training that a kill may cost at the most")
    keep: Literal["best", "last"] = opt(
        "best", "epoch whose weights go into the bundle: best on validation, or last"
    )

    def __post_init__(self) -> None:
        require(self.every > 0, "checkpoint.every", "above 0")


@dataclass(kw_only=True, slots=True)
class CalibrationConfig:
    target_sensitivity: float = opt(0.95, "malignant sensitivity kept by the operating point")
    decision_power: float = opt(
        1.0,
        "weight of a class in the choice of the diagnosis: its frequency to minus this power; "
        "0: the most probable class, 1: all classes count the same",
    )
    coverage: float = opt(0.9, "share of lesions whose true diagnosis is in the conformal set")
    false_alarms: float = opt(0.05, "share of good images that are called out of distribution")

    def __post_init__(self) -> None:
        require(0.5 <= self.target_sensitivity <= 1, "calibration.target_sensitivity", "0.5 to 1")
        require(0 <= self.decision_power <= 1, "calibration.decision_power", "between 0 and 1")
        require(0.5 <= self.coverage < 1, "calibration.coverage", "0.5 to below 1")
        require(0 < self.false_alarms < 0.5, "calibration.false_alarms", "between 0 and 0.5")


@dataclass(kw_only=True, slots=True)
class ExportConfig:
    tolerance: float = opt(1e-3, "largest difference in probability between torch and ONNX")

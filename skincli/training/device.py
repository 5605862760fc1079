"""Which device to train on, in which precision, and the Lightning Trainer made for it."""

import logging
import warnings
from typing import Any, Final

import lightning.pytorch as pl
import torch

from skincli.config.schema import Config
from skincli.errors import ConfigError
from skincli.models.backbones import SMALL_RESNET

# Lightning's advice on loaders and loggers that we do not use, on resuming into a folder and with
# another patience, and on figures that are the same in all processes already.
_ADVICE: Final = (
    r"(?s).*(does not have many workers|litlogger|LeafSpec|isinstance\(treespec"
    r"|exists and is not empty|sync_dist=True|callbacks used to create|Barrier|barrier\(\)"
    r"|modules in eval mode).*"
)


def choose_device(config: Config) -> torch.device:
    """The device to train on. Raises ConfigError when more is asked for than there is."""
    trainer = config.trainer
    if config.data.batch_size % trainer.processes:
        raise ConfigError(
            f"data.batch_size={config.data.batch_size} cannot be shared by {trainer.processes} "
            "devices",
            "take a multiple of trainer.devices x trainer.num_nodes",
        )
    if trainer.processes > 1 and config.train.frozen_epochs:
        raise ConfigError("train.frozen_epochs works on one device only", "set it to 0")
    if trainer.processes > 1 and config.train.mode == "probe":
        raise ConfigError("train.mode=probe works on one device only", "set trainer.devices=1")
    present = torch.cuda.device_count() if trainer.accelerator != "cpu" else 0
    if trainer.accelerator == "cuda" and not present:
        raise ConfigError(
            "trainer.accelerator=cuda, but torch sees no GPU",
            "install a driver and a torch that fit each other",
        )
    if 0 < present < trainer.devices:
        raise ConfigError(f"trainer.devices={trainer.devices}, but torch sees {present} GPUs")
    if not present and trainer.precision == "16-mixed":
        raise ConfigError("trainer.precision=16-mixed needs a GPU", "take bf16-mixed or 32-true")
    if not present:
        _refuse_crash(config)
    return torch.device("cuda") if present else torch.device("cpu")


def _refuse_crash(config: Config) -> None:
    """Torch 2.15 ends the process in the backward pass of small_resnet's strided shortcuts.

    Seen on a CPU with AVX-512 for fewer than 16 channels, laid out last, on maps of 64 px; maps of
    48 px and 16 channels were fine.
    """
    model, map_size = config.model, config.data.image_size // config.model.stem_stride
    narrow = model.backbone == SMALL_RESNET and model.width < 16
    if narrow and config.trainer.channels_last and map_size > 48:
        raise ConfigError(
            f"torch may crash in training small_resnet of width {model.width} at this size",
            "set trainer.channels_last=false, or model.width=16 and more",
        )


def choose_precision(config: Config, device: torch.device) -> Any:
    """bf16 needs a device that has it: on most CPUs autocast to it is slower than 32 bit."""
    if config.trainer.precision != "auto":
        return config.trainer.precision
    fast = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16-mixed" if fast else "32-true"


def new_trainer(config: Config, device: torch.device, **options: Any) -> pl.Trainer:
    """A Lightning Trainer for the configured machines that prints nothing and logs nothing."""
    with quiet_lightning():
        trainer = pl.Trainer(
            accelerator="gpu" if device.type == "cuda" else "cpu",
            devices=config.trainer.devices,
            num_nodes=config.trainer.num_nodes,
            strategy="ddp" if config.trainer.processes > 1 else config.trainer.strategy,
            precision=choose_precision(config, device),
            max_epochs=config.trainer.max_epochs,
            logger=False,
            num_sanity_val_steps=0,
            enable_progress_bar=False,
            enable_model_summary=False,
            **options,
        )
    # Lightning's handlers speak to the other processes from within a step, where these wait for
    # something else, and end each process at a step of its own.
    trainer._signal_connector.register_signal_handlers = _nothing  # type: ignore[method-assign]
    return trainer


def _nothing() -> None:
    pass


class quiet_lightning(warnings.catch_warnings):  # noqa: N801  used like the function it extends
    """Lightning prints its device list and advice that does not apply here."""

    def __enter__(self) -> Any:
        entered = super().__enter__()
        warnings.filterwarnings("ignore", _ADVICE)
        for name in ("lightning", "lightning.pytorch", "lightning.fabric"):
            logging.getLogger(name).setLevel(logging.ERROR)
        return entered

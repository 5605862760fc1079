"""The settings that decide what a trial learns: by them a study is known, and its best written."""

from typing import Any, Final

from skincli.config.load import flatten, resolved_dict
from skincli.config.schema import Config

_SECTIONS: Final = (
    "image.",
    "data.",
    "model.",
    "loss.",
    "optimizer.",
    "augment.",
    "train.",
    "trainer.",
    "checkpoint.",
    "calibration.",
    "export.",
)
_SINGLE: Final = ("task", "seed")
# Where things lie, which is a machine's own affair.
_PLACES: Final = ("data.root", "data.mirror", "data.include", "data.device_cache", "data.download.")


def training_settings(config: Config) -> dict[str, Any]:
    """Dotted keys and values of everything that training depends on, in the schema's order."""
    return {
        key: value
        for key, value in flatten(resolved_dict(config))
        if (key in _SINGLE or key.startswith(_SECTIONS)) and not key.startswith(_PLACES)
    }

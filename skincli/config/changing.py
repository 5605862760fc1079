"""A composed config with other values in it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from skincli.config.schema import Config
from skincli.errors import ConfigError


def with_values(config: Config, values: Mapping[str, Any], layer: str) -> Config:
    """`config` with the values of some `section.key`s replaced, under all the rules of the schema.

    Text is converted as on the command line. Raises ConfigError naming the key and `layer`.
    """
    # Section by section: all of the schema as typed nodes would take ten times as long.
    nodes: dict[str, Any] = {}
    for key, value in values.items():
        section, _, inner = key.partition(".")
        if section not in nodes:
            nodes[section] = OmegaConf.structured(getattr(config, section))
        try:
            OmegaConf.update(nodes[section], inner, value)
        except OmegaConfBaseException as error:
            reason = str(error).splitlines()[0]
            raise ConfigError(f"`{key}` cannot be {value!r}: {reason} (set by {layer})") from None
    try:
        changed: dict[str, Any] = {name: OmegaConf.to_object(node) for name, node in nodes.items()}
        return replace(config, **changed)
    except ValueError as error:  # a dataclass's own rule, which names the key first
        raise ConfigError(f"{error} (set by {layer})") from None

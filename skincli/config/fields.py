"""How a setting is written down: its default, its description, its rule."""

from dataclasses import field
from typing import Any


def opt(default: Any, help_text: str) -> Any:
    """A field with a default and its description. Returns Any: dataclasses check the rest."""
    return field(default=default, metadata={"help": help_text})


def require(condition: bool, key: str, rule: str) -> None:
    if not condition:
        raise ValueError(f"{key} must be {rule}")

"""Keeping passwords out of files and off the screen."""

import re
from typing import Any

_CREDENTIALS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/@\s]+@", re.IGNORECASE)


def has_credentials(value: object) -> bool:
    """Whether a value is a URI that carries a user or password."""
    return isinstance(value, str) and bool(_CREDENTIALS.search(value))


def mask(value: Any) -> Any:
    """The same value with the credentials of every URI in it replaced, at any depth."""
    if isinstance(value, str):
        return _CREDENTIALS.sub(r"\g<scheme>***@", value)
    if isinstance(value, dict):
        return {key: mask(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mask(item) for item in value]
    return value

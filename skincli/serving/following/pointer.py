"""The file by which the registry process tells the workers what to serve.

It stays in the cache, so that the next start serves the last verified version at once, and with
the registry away too.
"""

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from skincli.config.schema import Config
from skincli.tracking.fetching import cache_folder
from skincli.tracking.store import absolute_uri

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_REGISTERED: Final = "models:/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A verified bundle and how it was found.

    `away` says since when (UTC) the registry has not answered, `refused` which version the alias
    names that is not served, and why; both are empty where all is well. `metrics` are those of the
    evaluation that the version was judged by.
    """

    name: str
    version: str | None
    digest: str
    folder: str
    away: str = ""
    refused: str = ""
    metrics: dict[str, float] = field(default_factory=dict)


def wanted_model(config: Config) -> str:
    """What to serve: `serve.model`, else what the alias names."""
    return config.serve.model or f"{_REGISTERED}{config.registry.name}@{config.registry.alias}"


def is_registered(model: str) -> bool:
    return model.startswith(_REGISTERED)


def pointer_file(config: Config) -> Path:
    """Where the pointer of this model of this store is kept."""
    key = f"{absolute_uri(config.tracking)} {wanted_model(config)}"
    return cache_folder() / "served" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def read_pointer(file: Path) -> Pointer | None:
    """What the file says; None where there is none, or none that can be believed."""
    try:
        pointer = Pointer(**json.loads(file.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    words = (pointer.name, pointer.version or "", pointer.folder, pointer.away, pointer.refused)
    whole = isinstance(pointer.digest, str) and _DIGEST.fullmatch(pointer.digest)
    numbers = isinstance(pointer.metrics, dict) and all(
        isinstance(value, float) for value in pointer.metrics.values()
    )
    return pointer if whole and numbers and all(isinstance(word, str) for word in words) else None


def write_pointer(file: Path, pointer: Pointer) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(f".{os.getpid()}")
    scratch.write_text(json.dumps(asdict(pointer)))
    scratch.replace(file)

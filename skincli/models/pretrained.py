"""Starting weights: ImageNet's from torchvision's host, or a file of the user's."""

import hashlib
import re
import socket
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlparse

import torch
import torchvision
from torch import nn

from skincli.errors import SkincliError, UsageError

_WAYS_ON = "train from scratch with `model.pretrained=false`, or give `model.weights=FILE`"
_STALL_SECONDS: Final = 60.0
# densenet's published files name its layers as torchvision once did: `norm.1` is now `norm1`.
_OLD_NAME: Final = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")


def weights_url(backbone: str) -> str:
    url: str = torchvision.models.get_model_weights(backbone).DEFAULT.url
    return url


def pretrained_weights(backbone: str) -> str:
    """The path of the ImageNet weights, downloaded if needed. Raises SkincliError.

    A file that is already in torch's cache is used by torch unchecked, so its hash (the hex
    digits in its name) is compared here.
    """
    url = weights_url(backbone)
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    path = folder / Path(urlparse(url).path).name
    try:
        if not path.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            with _impatient():
                torch.hub.download_url_to_file(url, str(path), _hash_in(path.name), progress=False)
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it is also the answer, with its connection
        raise SkincliError(
            f"the pretrained weights of {backbone} cannot be downloaded from {url}: {error}",
            _WAYS_ON,
        ) from None
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if not digest.startswith(_hash_in(path.name) or ""):
        raise SkincliError(
            f"`{path}` is damaged: its SHA-256 starts with {digest[:8]}", "delete it and try again"
        )
    return str(path)


def load_weights(model: nn.Module, file: str, head: tuple[str, ...]) -> None:
    """Load a state dict into all of `model` but its head. Raises UsageError naming what is off."""
    if not Path(file).is_file():
        raise UsageError(f"there is no weights file `{file}`", _WAYS_ON)
    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises pickle, zip and runtime errors alike
        raise UsageError(f"`{file}` holds no state dict that is safe to load: {error}") from None
    if not isinstance(loaded, dict):
        raise UsageError(f"`{file}` holds a {type(loaded).__name__}, not a state dict")
    renamed = {_OLD_NAME.sub(r"\1\2", str(key)): value for key, value in loaded.items()}
    state: dict[str, Any] = {k: v for k, v in renamed.items() if not k.startswith(head)}
    try:
        missing, unexpected = model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise UsageError(f"`{file}` does not fit the backbone: {error}") from None
    missing = [key for key in missing if not key.startswith(head)]
    if missing or unexpected:
        example = (missing or unexpected)[0]
        raise UsageError(
            f"`{file}` does not fit the backbone: {len(missing)} keys are missing and "
            f"{len(unexpected)} unknown, for example {example}"
        )


@contextmanager
def _impatient() -> Iterator[None]:
    """Without a limit, which torch does not set, a network that drops packets would hang us."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_STALL_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _hash_in(file_name: str) -> str | None:
    match = re.search(r"-([0-9a-f]{8,})\.pth$", file_name)
    return match.group(1) if match else None
